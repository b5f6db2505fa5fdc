using Ork.Kernel;
using Ork.Protocol;

namespace OrkSim;

/// <summary>S12: open and settled commands, windows, registrations and pulls stay within their limits.</summary>
public sealed class Bounds : IInvariant
{
    /// <inheritdoc/>
    public string Id => "S12";

    /// <inheritdoc/>
    public string Says => "Open and settled commands, windows, registrations and pulls stay within their limits.";

    /// <inheritdoc/>
    public SimEventKind Hears => SimEventKind.CommitDurable | SimEventKind.FrameSent | SimEventKind.FrameTaken;

    private readonly Dictionary<string, int> _inFlight = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public void Hear(in SimEvent happened, Facts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        if (happened.Kind == SimEventKind.CommitDurable)
        {
            if (happened.Batch!.ChangedCommands.Count + happened.Batch.NewCommands.Count > 0) CheckCommands(facts);
            foreach (var row in happened.Batch.NewCommands) CheckLine(row, facts);
        }
        else if (happened.Kind == SimEventKind.FrameTaken)
        {
            if (happened.Node == facts.Holder && happened.Connection!.Facts is { Peer.Kind: NodeKind.Caller } caller) CheckWindow(caller, facts);
        }
        else if (happened.Node == facts.Holder && happened.Message is { } message)
        {
            if (message.Action == OrkAction.IdentityRequest) CheckRegistrations(facts);
            else if (happened.Frame == FrameKind.Request && message.Action is OrkAction.TelemetryPull or OrkAction.StatePull) CheckPulls(happened.Connection!.Facts!, facts);
            else if (message.Action == OrkAction.WorkerListResponse && message.Listing.TryGetProperty("kernel", out var kernel)) CheckTold(kernel, facts);
        }
    }

    private void CheckCommands(Facts facts)
    {
        var options = facts.World.KernelOptions.Commands;
        if (facts.Open.Count > options.MaxOpen) facts.Violated(this, $"{facts.Open.Count} commands are open; {options.MaxOpen} may be.");
        if (facts.Settled > options.MaxSettled) facts.Violated(this, $"{facts.Settled} settled commands are kept; {options.MaxSettled} may be.");
        _inFlight.Clear();
        foreach (var command in facts.Open.Values)
        {
            if (command.Row.State is not (CommandState.Dispatched or CommandState.Executing)) continue;
            var count = _inFlight[command.Row.WorkerId] = _inFlight.GetValueOrDefault(command.Row.WorkerId) + 1;
            if (count > options.WindowPerWorker) facts.Violated(this, $"{count} commands are in flight at {command.Row.WorkerId}; {options.WindowPerWorker} may be.");
        }
    }

    private void CheckLine(in CommandRow row, Facts facts)
    {
        var limit = facts.World.KernelOptions.Commands.MaxOpenPerDevice;
        if (facts.Open.Count <= limit) return;
        foreach (var device in row.Spec.Targets ?? [row.Spec.DeviceId!])
        {
            var depth = facts.Open.Values.Count(command => command.Row.Spec.Targets?.Contains(device) ?? command.Row.Spec.DeviceId == device);
            if (depth > limit) facts.Violated(this, $"{depth} commands are open at {device}; {limit} may be.");
        }
    }

    private void CheckRegistrations(Facts facts)
    {
        var options = facts.World.KernelOptions.Links;
        // The kernel counts whole milliseconds.
        var since = facts.NowTicks - TimeSpan.FromMilliseconds(options.RegistrationTimeoutMs - 1).Ticks;
        var count = 0;
        foreach (var link in facts.WorkerLinks)
        {
            // A terminated Worker's slot is free at once, its link is closed when that is durable.
            if (link.KernelSide.Owner != facts.Holder || facts.World.IsGone(link.Peer.Name)) continue;
            foreach (var asked in link.Outstanding.Values)
            {
                if (asked.Action is OrkAction.IdentityRequest or OrkAction.CapabilityRequest && asked.Ticks > since) count++;
            }
        }

        if (count > options.MaxRegistrations) facts.Violated(this, $"{count} registrations are under way; {options.MaxRegistrations} may be.");
    }

    /// <summary>A caller's requests that the kernel took and has not answered; it takes one more before it sees that its window is full.</summary>
    private void CheckWindow(LinkFacts link, Facts facts)
    {
        var limit = facts.World.KernelOptions.Links.WindowPerCaller;
        if (link.Questions.Count > limit + 1) facts.Violated(this, $"{link.Questions.Count} requests of {link.Peer} are under way; {limit} may be.");
    }

    /// <summary>Callers' pulls at one Worker, and the schedule's two.</summary>
    private void CheckPulls(LinkFacts link, Facts facts)
    {
        const int scheduled = 2;
        var options = facts.World.KernelOptions.Pulls;
        var since = facts.NowTicks - TimeSpan.FromMilliseconds(options.TimeoutMs - 1).Ticks;
        var count = link.Outstanding.Values.Count(asked => asked.Action is OrkAction.TelemetryPull or OrkAction.StatePull && asked.Ticks > since);
        if (count > options.WindowPerWorker + scheduled) facts.Violated(this, $"{count} pulls are under way at {link.Peer}; {options.WindowPerWorker} may be, and the schedule's {scheduled}.");
    }

    private void CheckTold(System.Text.Json.JsonElement kernel, Facts facts)
    {
        var options = facts.World.KernelOptions;
        Check("openCommands", options.Commands.MaxOpen);
        Check("settledRetained", options.Commands.MaxSettled);
        Check("registering", options.Links.MaxRegistrations);
        Check("pullsInFlight", options.Schedule.MaxPulls + options.Pulls.MaxPulls);

        void Check(string figure, long limit)
        {
            if (kernel.GetProperty(figure).GetInt64() is var told && told > limit) facts.Violated(this, $"The kernel tells {figure} {told}; {limit} may be.");
        }
    }
}
