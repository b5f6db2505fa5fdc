using System.Text.Json;
using Ork.Kernel;
using Ork.Protocol;

namespace OrkSim;

/// <summary>How the kernel that holds the store has said that its Workers stand, to be compared with what it tells operators of them (S16).</summary>
internal sealed class WorkerViews
{
    private readonly Dictionary<string, (bool IsLinked, long Ticks)> _links = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (HealthState Health, long Ticks)> _health = new(StringComparer.Ordinal);
    private readonly HashSet<string> _terminated = new(StringComparer.Ordinal);
    private readonly HashSet<string> _opened = new(StringComparer.Ordinal);

    /// <summary>A kernel begins with no link, and no word on anybody's health.</summary>
    internal void Clear()
    {
        _links.Clear();
        _health.Clear();
        _terminated.Clear();
        _opened.Clear();
    }

    internal void Hear(in SimEvent note)
    {
        if (note.Subject is not { } worker) return;
        switch (note.Note)
        {
            case KernelEvent.LinkUp or KernelEvent.LinkDown:
                _links[worker] = (note.Note == KernelEvent.LinkUp, note.Ticks);
                break;
            case KernelEvent.WorkerHealthy or KernelEvent.WorkerSick or KernelEvent.WorkerDead:
                if (!_terminated.Contains(worker)) _health[worker] = (HealthIn(note.Note), note.Ticks);
                break;
            case KernelEvent.CircuitOpened:
                _opened.Add(worker);
                break;
            case KernelEvent.CircuitClosed when note.Detail == "restored":
                // At an operator's word it is as if it had never opened.
                _opened.Remove(worker);
                break;
            case KernelEvent.WorkerTerminated:
                // Its health is of no concern any more; that its last ping failed with its link may be said after this.
                _terminated.Add(worker);
                _health[worker] = (HealthState.Unknown, note.Ticks);
                break;
        }
    }

    /// <summary>What is told of a Worker and is not so, or null. What changed since the question came may be told either way.</summary>
    internal string? Wrong(JsonElement view, WorkerRow worker, long askedTicks, Facts facts)
    {
        var (isLinked, linked) = _links.GetValueOrDefault(worker.WorkerId);
        if (linked < askedTicks && view.GetProperty("linked").GetBoolean() != isLinked) return $"The kernel says {worker.WorkerId} is {(isLinked ? "not linked, and has a link of it" : "linked, and has no link of it")}.";
        if (linked < askedTicks && view.GetProperty("address").ValueKind == JsonValueKind.Null == isLinked) return $"The kernel says {worker.WorkerId} is at {view.GetProperty("address")}; it has {(isLinked ? "a" : "no")} link of it.";
        var (health, since) = _health.GetValueOrDefault(worker.WorkerId);
        if (since < askedTicks && view.GetProperty("health").GetString() is var told && told != health.ToString()) return $"The kernel says {worker.WorkerId} is {told}; it has found it {health}.";
        if (Elsewhere(view, worker, askedTicks, facts) is { } elsewhere) return elsewhere;
        if (RefusedWrongly(view, worker, askedTicks, facts) is { } refused) return refused;
        var (circuit, changed) = facts.Circuits.TryGetValue(worker.WorkerId, out var known) ? known : (KernelEvent.CircuitClosed, 0);
        if (worker.Terminated || changed >= askedTicks || view.GetProperty("circuit").GetString() is not { } shown) return null;
        if (shown != Named(circuit)) return $"The kernel says the circuit of {worker.WorkerId} is {shown}; it is {Named(circuit)}.";
        var opens = view.GetProperty("circuitOpens").GetInt32();
        var isOpenByItself = circuit != KernelEvent.CircuitClosed && worker.Hold != CircuitHold.Open;
        return opens > 0 == _opened.Contains(worker.WorkerId) || opens == 0 && !isOpenByItself ? null : $"The kernel says the circuit of {worker.WorkerId} is {shown} and has opened {opens} times in a row.";
    }

    /// <summary>Who is dialled is where it was dialled.</summary>
    private static string? Elsewhere(JsonElement view, WorkerRow worker, long askedTicks, Facts facts)
    {
        if (facts.LinkOf(worker.WorkerId) is not { IsRegistered: true, KernelSide: { IsClient: true, Dialled: { } dialled } } link || link.OpenedTicks > askedTicks - TimeSpan.TicksPerSecond) return null;
        var told = view.TryGetProperty("endpoint", out var at) ? at.GetString() : null;
        return told == dialled.ToString() ? null : $"The kernel says {worker.WorkerId} is at {told}; its link leads to {dialled}.";
    }

    /// <summary>Of the devices that a Worker claims, those are refused that are another's. What changed hands since it claimed them may have been its own meanwhile.</summary>
    private static string? RefusedWrongly(JsonElement view, WorkerRow worker, long askedTicks, Facts facts)
    {
        var told = view.GetProperty("refusedClaims").GetInt32();
        var limit = facts.World.KernelOptions.Links.MaxDevicesPerWorker;
        if (!facts.World.IsHonest(worker.WorkerId) || facts.LinkOf(worker.WorkerId) is not { IsRegistered: true } link) return null;
        if (!facts.Claims.TryGetValue(worker.WorkerId, out var claims) || facts.ClaimTicks[worker.WorkerId] is var claimed && claimed >= askedTicks || claimed != link.OwnClaimTicks || claims.Count >= limit) return null;
        var (least, most) = (0, 0);
        foreach (var device in claims)
        {
            if (!facts.Owners.TryGetValue(device, out var owner) || owner == worker.WorkerId) continue;
            most++;
            if (facts.States[device].OwnedTicks < claimed) least++;
        }

        // A device that nobody owns any more is claimed with the next word on its state.
        most += claims.Count(device => !facts.Owners.ContainsKey(device));
        return told >= least && told <= most ? null : $"The kernel says {told} claims of {worker.WorkerId} are refused; {(least == most ? $"{least}" : $"{least} to {most}")} are.";
    }

    private static HealthState HealthIn(KernelEvent note) => note switch
    {
        KernelEvent.WorkerHealthy => HealthState.Healthy,
        KernelEvent.WorkerSick => HealthState.Sick,
        _ => HealthState.Dead,
    };

    private static string Named(KernelEvent circuit) => circuit switch
    {
        KernelEvent.CircuitOpened => nameof(CircuitState.Open),
        KernelEvent.CircuitHalfOpen => nameof(CircuitState.HalfOpen),
        _ => nameof(CircuitState.Closed),
    };
}
