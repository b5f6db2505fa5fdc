using Ork.Protocol;

namespace OrkSim;

/// <summary>L6: while one caller floods and nothing fails, a command of another is accepted, and settled within the bound.</summary>
public sealed class Fairness : IInvariant
{
    /// <inheritdoc/>
    public string Id => "L6";

    /// <inheritdoc/>
    public string Says => "While one caller floods and nothing fails, a command of another is accepted, and settled within the bound.";

    /// <inheritdoc/>
    public SimEventKind Hears => SimEventKind.Pulse | SimEventKind.Answered;

    /// <inheritdoc/>
    public void Hear(in SimEvent happened, Facts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        if (facts.World.Flooder is not { } flooder || facts.World.Scenario.Faults.Count > 0) return;
        if (happened.Kind == SimEventKind.Answered)
        {
            if (happened.Node != flooder && happened is { Subject: "send", Detail: { } error } && error.StartsWith(ErrorCodes.QueueFull.Code, StringComparison.Ordinal))
            {
                facts.Violated(this, $"{happened.Node} is refused for want of room while {flooder} floods.");
            }

            return;
        }

        foreach (var command in facts.Open.Values)
        {
            if (command.Row.Spec.Caller == flooder.Key || command.ToldTicks is not { } told || happened.Ticks - told < Bound(facts).Ticks) continue;
            facts.Violated(this, $"{command.Id} was accepted {SimDefaults.Seconds(happened.Ticks - told)} s ago and is still {command.Row.State} while {flooder} floods.");
        }
    }

    /// <summary>All that may stand before it in line at a device, each taking its time and twice a journal, two commits and two messages; the line of a wide one's slowest device the same.</summary>
    private static TimeSpan Bound(Facts facts)
    {
        var (fleet, network, store) = (facts.World.Scenario.Fleet, facts.World.Scenario.Network, facts.World.Scenario.Store);
        var devices = facts.World.Scenario.Workload.Wide.Max > 0 ? fleet.DevicesPerWorker.Max : 1;
        var one = (fleet.Execution.Max * devices) + (2 * fleet.JournalWrite.Max) + (2 * store.Commit.Max) + (2 * network.Latency.Max);
        return (facts.World.KernelOptions.Commands.MaxOpenPerDevice + 2) * one;
    }
}
