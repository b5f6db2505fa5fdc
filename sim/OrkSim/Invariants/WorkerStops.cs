using Ork.Protocol;

namespace OrkSim;

/// <summary>
/// Of S24, what it asks of Workers: one that was told to stop begins nothing of which it was asked later, answers what it has begun where that ends within the time that it has, and waits neither
/// longer nor less.
/// </summary>
internal sealed class WorkerStops
{
    // Its clock counts milliseconds, and what it has begun it may be about to record.
    private static readonly long Slack = TimeSpan.FromMilliseconds(2).Ticks;

    // The last answers, and the end of its links.
    private static readonly long Patience = TimeSpan.FromSeconds(1).Ticks;

    private static readonly long Time = TimeSpan.FromMilliseconds(SimDefaults.Worker.DrainMs).Ticks;

    // Commands that a Worker was asked for on a link and has not answered there, those that it has begun in its present life, and attempts that came too late to be begun.
    private readonly Dictionary<SimConnection, HashSet<string>> _asked = [];
    private readonly HashSet<(SimNode Worker, string CommandId)> _begun = [];
    private readonly HashSet<(SimNode Worker, string CommandId, int Attempt)> _late = [];

    // What was left unanswered on the link that a Worker closed last: for another reason than its end, where that is not at the same moment.
    private readonly Dictionary<SimNode, (long Ticks, HashSet<string> Asked)> _closed = [];

    // What may be under way at a Worker, and since when nothing is.
    private readonly HashSet<(SimNode Worker, string CommandId)> _atWork = [];
    private readonly Dictionary<SimNode, long> _idleTicks = [];

    /// <summary>Hears what a Worker does.</summary>
    /// <returns>What it should not have done, or null.</returns>
    internal string? Hear(SimNode worker, in SimEvent happened)
    {
        switch (happened.Kind)
        {
            case SimEventKind.NodeUp:
                Forget(worker);
                _idleTicks[worker] = happened.Ticks;
                return null;
            case SimEventKind.FrameTaken when happened.Message is { Action: OrkAction.CommandRequest, CommandId: { } id } message:
                // What comes later has time until the Worker is back, though its journal may know how it ended.
                if (worker.StopTicks is not null) _late.Add((worker, id, message.Attempt));
                else Take(worker, happened.Connection!, id);
                return null;
            case SimEventKind.FrameSent when happened.Message is { Action: OrkAction.CommandResult, CommandId: { } id }:
                Asked(happened.Connection!).Remove(id);
                if (_atWork.Remove((worker, id))) _idleTicks[worker] = happened.Ticks;
                return null;
            case SimEventKind.Begun:
                var start = happened.Journal!.Start!;
                _begun.Add((worker, start.CommandId));
                return _late.Contains((worker, start.CommandId, start.Attempt)) ? $"{worker} was told to stop and begins attempt {start.Attempt} of {start.CommandId}, for which it was asked later." : null;
            case SimEventKind.LinkEnded:
                if (_asked.Remove(happened.Connection!, out var asked) && worker.StopTicks is not null && happened.Connection!.IsGivenUp) _closed[worker] = (happened.Ticks, asked);
                return null;
            case SimEventKind.NodeDown:
                return worker.StopTicks is { } told && happened.Detail == SimWorld.HasStopped ? CheckLeft(worker, happened.Ticks, told) ?? CheckHaste(worker, happened.Ticks, told) : null;
            default:
                return null;
        }
    }

    /// <summary>A Worker that was told to stop has stopped when its time is over.</summary>
    internal static string? StillUp(SimWorker worker, long ticks, long lateness) =>
        worker.Node is { IsUp: true, Frozen: false, StopTicks: { } told } && ticks - Math.Max(told, worker.Node.AwakeTicks) > Time + Patience + (2 * lateness)
            ? $"{worker.Node} was told to stop {SimDefaults.Seconds(ticks - told)} s ago and has not ended."
            : null;

    private string? CheckLeft(SimNode worker, long ticks, long told)
    {
        if (ticks - told >= Time - Slack || !_closed.TryGetValue(worker, out var closed) || closed.Ticks != ticks) return null;
        return closed.Asked.FirstOrDefault(id => _begun.Contains((worker, id))) is { } left ? $"{worker}, which was told to stop {SimDefaults.Seconds(ticks - told)} s ago, ends and has not answered {left}, which it has begun." : null;
    }

    /// <summary>One that has nothing to answer has nothing to wait for.</summary>
    private string? CheckHaste(SimNode worker, long ticks, long told)
    {
        if (_atWork.Any(of => of.Worker == worker)) return null;
        var idle = ticks - Math.Max(Math.Max(told, worker.AwakeTicks), _idleTicks[worker]);
        return idle > Patience ? $"{worker} was told to stop and has nothing under way for {SimDefaults.Seconds(idle)} s, and ends only now." : null;
    }

    private void Take(SimNode worker, SimConnection link, string id)
    {
        Asked(link).Add(id);
        _atWork.Add((worker, id));
    }

    private HashSet<string> Asked(SimConnection link)
    {
        if (!_asked.TryGetValue(link, out var asked)) _asked.Add(link, asked = new HashSet<string>(StringComparer.Ordinal));
        return asked;
    }

    private void Forget(SimNode worker)
    {
        _begun.RemoveWhere(of => of.Worker == worker);
        _late.RemoveWhere(of => of.Worker == worker);
        _atWork.RemoveWhere(of => of.Worker == worker);
    }
}
