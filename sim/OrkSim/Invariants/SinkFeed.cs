using Ork.Kernel;
using Ork.Protocol;

namespace OrkSim;

/// <summary>Scheduled telemetry on its way from Workers to the sinks: each answer that came in time, once, refusals aside.</summary>
internal sealed class SinkFeed
{
    private static readonly long Patience = TimeSpan.FromSeconds(3).Ticks;

    private readonly Dictionary<string, List<(byte[] Payload, long Ticks, bool IsDue)>> _answered = new(StringComparer.Ordinal);

    /// <summary>Hears of an event.</summary>
    /// <returns>What is wrong, or null.</returns>
    internal string? Wrong(in SimEvent happened, Facts facts)
    {
        // Of somebody's own Worker nobody knows which of its answers are about one device.
        if (facts.World.Ports.Worker is not null) return null;
        switch (happened.Kind)
        {
            case SimEventKind.StoreOpened:
                _answered.Clear();
                return null;
            case SimEventKind.Note:
                if (happened.Node == facts.Holder && happened.Note == KernelEvent.LinkDown) Ended(happened.Subject!);
                return null;
            case SimEventKind.FrameTaken:
                if (happened.Node == facts.Holder && happened.Message is { Action: OrkAction.TelemetryResponse }) Answered(in happened, facts);
                return null;
            case SimEventKind.Handed:
                return happened.Node == facts.Holder && facts.World.IsHonest(happened.Subject!) ? Handed(happened.Subject!, happened.Payload.Span) : null;
            default:
                return Late(facts);
        }
    }

    /// <summary>An answer that names a device is a caller's, about that one.</summary>
    private void Answered(in SimEvent taken, Facts facts)
    {
        if (EnvelopeReader.Read(taken.Payload, out var answer) is not null || answer.Payload.Span.IndexOf("\"deviceId\":null"u8) < 0) return;
        var worker = taken.Connection!.Facts!.Peer.Name;
        if (!_answered.TryGetValue(worker, out var answers)) _answered.Add(worker, answers = []);
        if (answers.Count > 32) answers.RemoveAt(0);
        var isInTime = taken.Ticks - taken.Connection.Facts.TakenAskedTicks < TimeSpan.FromMilliseconds(facts.World.KernelOptions.Pulls.TimeoutMs - 300).Ticks;
        answers.Add((answer.Payload.ToArray(), taken.Ticks, isInTime && facts.World.IsHonest(worker) && !facts.World.IsGone(worker)));
    }

    /// <summary>With its link goes what a Worker answered on it and was not looked at yet.</summary>
    private void Ended(string worker)
    {
        if (!_answered.TryGetValue(worker, out var answers)) return;
        for (var i = 0; i < answers.Count; i++) answers[i] = answers[i] with { IsDue = false };
    }

    private string? Handed(string worker, ReadOnlySpan<byte> payload)
    {
        if (payload.StartsWith("{\"status\":\"REJECTED\""u8)) return $"The sink is handed a refusal as telemetry of {worker}.";
        if (_answered.TryGetValue(worker, out var answers))
        {
            // Of answers that are the same, byte for byte, those are taken for handed on that must be.
            var at = -1;
            for (var i = 0; i < answers.Count && (at < 0 || !answers[at].IsDue); i++)
            {
                if ((at < 0 || answers[i].IsDue) && payload.SequenceEqual(answers[i].Payload)) at = i;
            }

            if (at >= 0)
            {
                answers.RemoveAt(at);
                return null;
            }
        }

        return $"The sink is handed telemetry of {worker} which it did not answer, or a second time.";
    }

    private string? Late(Facts facts)
    {
        if (!facts.IsServed) return null;
        foreach (var (worker, answers) in _answered)
        {
            foreach (var (_, ticks, isDue) in answers)
            {
                if (isDue && !facts.World.IsGone(worker) && facts.NowTicks - Math.Max(ticks, facts.AwakeTicks) > Patience + (2 * facts.World.WorstLateness.Ticks)) return $"{worker} answered with telemetry {SimDefaults.Seconds(facts.NowTicks - ticks)} s ago, and no sink was handed it.";
            }
        }

        return null;
    }
}
