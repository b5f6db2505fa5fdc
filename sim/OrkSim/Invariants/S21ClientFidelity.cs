using System.Buffers.Text;
using System.Runtime.InteropServices;
using System.Text.Json;
using Ork.Client;
using Ork.Protocol;

namespace OrkSim;

/// <summary>S21: what a client returns of a command, a device, a fleet order or all Workers is what a kernel answered it, and it asks neither without pause nor for longer than it is patient.</summary>
public sealed class ClientFidelity : IInvariant
{
    private const int MostInPause = 3;
    private const int MostHasty = 3;
    private const long Never = long.MaxValue;

    // As often as the SDK asks on by itself.
    private static readonly long Pause = TimeSpan.FromMilliseconds(99).Ticks;

    private readonly Dictionary<(SimNode Caller, string CommandId), List<WireMessage>> _answers = [];
    private readonly Dictionary<(SimNode Caller, string CommandId), List<(string Question, long Ticks)>> _asked = [];
    private readonly Dictionary<SimNode, (int Least, long Ticks)> _workers = [];
    private readonly Dictionary<SimNode, (bool IsGivenUp, long Ticks)> _ended = [];

    private static readonly ErrorCode[] Passing = [ErrorCodes.QueueFull, ErrorCodes.KernelBusy, ErrorCodes.WorkerNotRoutable, ErrorCodes.CircuitOpen];

    private readonly Dictionary<(SimNode Caller, string Key), int> _ordered = [];

    // Of a fleet order: what was asked on which link, and until when a refusal said to wait.
    private readonly Dictionary<(LinkFacts Link, ulong Correlation), string> _ofFleet = [];
    private readonly Dictionary<(SimNode Caller, string Key), long> _notBefore = [];
    private readonly Dictionary<(SimNode Caller, string Key), long> _firstAsked = [];
    private readonly Dictionary<(SimNode Caller, string Key), (string? EnvelopeId, long Ticks)> _called = [];
    private readonly Dictionary<(SimNode Caller, string Key), int> _refusedTooLate = [];
    private int _hasty;

    // The longest pause between two orders, which begins within the patience at the latest.
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(6);

    /// <inheritdoc/>
    public string Id => "S21";

    /// <inheritdoc/>
    public string Says => "What a client returns of a command, a device, a fleet order or all Workers is what a kernel answered it, and it asks neither without pause nor for longer than it is patient.";

    /// <inheritdoc/>
    public SimEventKind Hears => SimEventKind.Answered | SimEventKind.FrameTaken | SimEventKind.FrameSent | SimEventKind.LinkEnded | SimEventKind.Told;

    /// <inheritdoc/>
    public void Hear(in SimEvent happened, Facts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        if (happened.Node is not { Kind: NodeKind.Caller } caller) return;
        if (happened.Fleet is { } fleet) CheckFleet(caller, fleet, facts);
        if (happened.Kind == SimEventKind.LinkEnded)
        {
            if (happened.Connection!.IsClient) _ended[caller] = (happened.Connection.IsGivenUp, happened.Ticks);
            return;
        }

        if (happened.Kind == SimEventKind.FrameSent)
        {
            if (happened.Message is { Action: OrkAction.CommandRequest, Key: { } key })
            {
                CollectionsMarshal.GetValueRefOrAddDefault(_ordered, (caller, key), out _)++;
                if (key.StartsWith(SimCaller.Curtailment, StringComparison.Ordinal))
                {
                    CheckHaste(caller, key, in happened, facts);
                    CheckPatience(caller, key, happened.Ticks, facts);
                    CheckAtOnce(caller, facts);
                }
            }

            CheckPause(caller, in happened, facts);
            return;
        }

        if (happened.Kind == SimEventKind.FrameTaken)
        {
            if (happened.Message is { Action: OrkAction.WorkerListResponse } listing && listing.Listing.TryGetProperty("kernel", out var kernel))
            {
                var (least, first) = _workers.GetValueOrDefault(caller, (int.MaxValue, happened.Ticks));
                _workers[caller] = (Math.Min(least, kernel.GetProperty("workers").GetInt32()), first);
            }

            if (_ofFleet.Count > 0 && _ofFleet.Remove((happened.Connection!.Facts!, happened.Correlation), out var order)) HearRefusal(caller, order, in happened, facts);
            if (happened.Message is not { CommandId: { } about } message) return;
            if (!_answers.TryGetValue((caller, about), out var told)) _answers.Add((caller, about), told = []);
            told.Add(message);
            return;
        }

        if (happened.Subject == "send" && happened.Detail == ErrorCodes.LinkLost.Code && _ended.TryGetValue(caller, out var ended) && ended.IsGivenUp && happened.Ticks - ended.Ticks < Pause && !facts.World.IsBroken(caller)) facts.Violated(this, $"An order of {caller} lost its link, which the client itself closed.");
        if (happened is not { Detail: null, Call: { } call }) return;
        if (call.Workers is { } all) CheckList(caller, all, facts);
        if (happened.Subject == SimCaller.ListingOne) _workers.Remove(caller);
        if (happened.Subject == SimCaller.Waiting && call.View is { IsTerminal: false } open) facts.Violated(this, $"{caller} waited for the end of {call.CommandId} and was given {open.Status}.");
        if (call.Asked is { } asked && call.Told is { } device && asked != device && facts.World.Ports.Worker is null && facts.World.Workers.All(static worker => worker.Mischief is null)) facts.Violated(this, $"{caller} asked for {asked} and was given {device}.");
        if (call is { View: { } view, CommandId: { } of } && facts.Commands.TryGetValue(of, out var command) && !IsOf(view, command)) facts.Violated(this, $"{caller} was told that {of} is {view.Command} of {view.DeviceId} at {view.WorkerId}, {view.Scope}, of {view.CreatedAt}; it is {command.Row.Spec.Command} of {command.Row.Spec.DeviceId} at {command.Row.WorkerId}, {command.Row.Spec.Scope}, of {command.Row.Spec.CreatedAt}.");
        if (call.CommandId is { } id && Wrong(call, _answers.GetValueOrDefault((caller, id))) is { } what) facts.Violated(this, $"The client of {caller} returned {what} of {id}, and no kernel answered so.");
    }

    /// <summary>A list of all Workers has each once, and all that the kernel knew while its pages were told.</summary>
    private void CheckList(SimNode caller, FleetView all, Facts facts)
    {
        if (!_workers.Remove(caller, out var told)) return;

        // A kernel that began anew while its pages were told knows no longer of a Worker that has not yet said who it is.
        var least = facts.IsServed && facts.HeldSinceTicks < told.Ticks ? told.Least : 0;
        var distinct = all.Workers.DistinctBy(static worker => worker.WorkerId).Count();
        if (distinct < least || distinct < all.Workers.Count) facts.Violated(this, $"The client of {caller} returned {all.Workers.Count} Workers as all, {distinct} different ones; the kernel told that it has {least}.");
    }

    /// <summary>A fleet order asks no longer than it is patient. What it asked last may lie before a link that is yet to be opened.</summary>
    private void CheckPatience(SimNode caller, string key, long ticks, Facts facts)
    {
        if (_firstAsked.TryAdd((caller, key), ticks) || CurtailerOf(caller, facts) is not { } curtailer) return;

        // The first may have come when its caller had ceased to wait for it, and was about to ask once more.
        if (_refusedTooLate.GetValueOrDefault((caller, key)) > 1) facts.Violated(this, $"{caller} orders {key} once more, and was refused when its order was to be given up, after {SimDefaults.Seconds(curtailer.CurtailsFor.Ticks)} s.");
        var most = curtailer.CurtailsFor + LongestPause + facts.World.Scenario.Workload.Timeout + (2 * facts.World.WorstLateness);
        if (ticks - _firstAsked[(caller, key)] is var asks && asks > most.Ticks) facts.Violated(this, $"{caller} has ordered {key} for {SimDefaults.Seconds(asks)} s, and its order is to be given up after {SimDefaults.Seconds(curtailer.CurtailsFor.Ticks)} s.");
    }

    /// <summary>A fleet order asks again no sooner than it was told to, and not at all where it was told no time.</summary>
    private void CheckHaste(SimNode caller, string key, in SimEvent sent, Facts facts)
    {
        _ofFleet[(sent.Connection!.Facts!, sent.Correlation)] = key;
        if (_called.GetValueOrDefault((caller, key)).EnvelopeId != sent.Message!.EnvelopeId) _called[(caller, key)] = (sent.Message.EnvelopeId, sent.Ticks);
        if (!_notBefore.Remove((caller, key), out var notBefore)) return;

        // A refusal may come just after its call was given up.
        _hasty = sent.Ticks < notBefore ? _hasty + 1 : 0;
        if (_hasty == MostHasty) facts.Violated(this, $"{caller} orders {key} again {(notBefore == Never ? "though it was refused for good" : $"{SimDefaults.Seconds(notBefore - sent.Ticks)} s before the time that the kernel asked for")}, as it did with the {MostHasty - 1} refusals before.");
    }

    private static SimCaller? CurtailerOf(SimNode caller, Facts facts) => facts.World.Callers.FirstOrDefault(own => own.Node == caller);

    private void HearRefusal(SimNode caller, string key, in SimEvent taken, Facts facts)
    {
        if (CurtailerOf(caller, facts) is { } curtailer && taken.Ticks - _firstAsked[(caller, key)] > curtailer.CurtailsFor.Ticks) CollectionsMarshal.GetValueRefOrAddDefault(_refusedTooLate, (caller, key), out _)++;

        // What comes when its call was given up is heard by nobody, and a call's time begins before it is sent.
        if (taken.Ticks - _called[(caller, key)].Ticks >= facts.World.Scenario.Workload.Timeout.Ticks / 2) return;
        var answer = taken.Payload.Span;
        var at = answer.IndexOf("\"retryAfterMs\":"u8);
        if (at >= 0 && Utf8Parser.TryParse(answer[(at + "\"retryAfterMs\":"u8.Length)..], out long waitMs, out _)) _notBefore[(caller, key)] = taken.Ticks + TimeSpan.FromMilliseconds(waitMs).Ticks;
        else if (at < 0 && taken.Message is { Status: CommandStatus.Rejected }) _notBefore[(caller, key)] = Never;
    }

    /// <summary>A kernel that answers a long poll before its time has too many of them.</summary>
    private void CheckPause(SimNode caller, in SimEvent sent, Facts facts)
    {
        if (sent.Message is not { Action: OrkAction.CommandStatus, WaitMs: CommandQueryPayload.MaxWaitMs, CommandId: { } about, EnvelopeId: { } question }) return;
        if (!_asked.TryGetValue((caller, about), out var asked)) _asked.Add((caller, about), asked = []);
        if (asked.Exists(before => before.Question == question)) return;
        var now = sent.Ticks;
        asked.RemoveAll(before => now - before.Ticks >= Pause);
        asked.Add((question, sent.Ticks));

        // A question may lie before a link that is being opened, and another behind it.
        if (asked.Count > MostInPause) facts.Violated(this, $"{caller} asks {asked.Count} times within {SimDefaults.Seconds(Pause)} s how {about} ended.");
    }

    /// <summary>What a fleet order says of each device is how the command ended that the order made there, and nothing was begun where it was refused.</summary>
    private void CheckFleet(SimNode caller, FleetRun fleet, Facts facts)
    {
        // One that has hardly any patience may have none left when its first refusal comes.
        var curtailer = CurtailerOf(caller, facts);
        var isPatient = curtailer?.CurtailsFor > LongestPause;

        // Each device has the whole patience from when its turn came.
        var isEarly = curtailer is not null && facts.NowTicks - curtailer.CurtailedTicks < curtailer.CurtailsFor.Ticks;
        foreach (var told in fleet.Outcomes)
        {
            // Who repeats an order whose command was forgotten makes another.
            var command = facts.Commands.Values.LastOrDefault(command => command.Row.Spec.Caller == caller.Key && command.Row.Spec.IdempotencyKey == $"{SimCaller.Curtailment}:{told.DeviceId}" && (told.CommandId ?? command.Id) == command.Id);
            var isTrue = told.Status switch
            {
                CommandStatus.Success => command is { Row.State: Ork.Kernel.CommandState.Success } && command.Row.Spec.DeviceId == told.DeviceId,
                CommandStatus.Failed => command is { Row.State: Ork.Kernel.CommandState.Failed } && command.Row.Outcome == told.Outcome,
                CommandStatus.Rejected => command is null or { Forgotten: true },
                _ => told.Status == CommandStatus.Unknown,
            };
            if (isPatient && told.Status == CommandStatus.Rejected && Array.Exists(Passing, code => told.Error!.StartsWith(code.Code, StringComparison.Ordinal)) && _ordered.GetValueOrDefault((caller, $"{SimCaller.Curtailment}:{told.DeviceId}")) < 2) facts.Violated(this, $"The fleet order of {caller} gives {told.DeviceId} up after it was refused once: {told.Error}.");
            if (isEarly && told.Status == CommandStatus.Unknown && told.Error!.StartsWith(ErrorCodes.KernelUnavailable.Code, StringComparison.Ordinal)) facts.Violated(this, $"The fleet order of {caller} gives {told.DeviceId} up for a kernel that it cannot reach, with patience left: {told.Error}.");
            if (!isTrue) facts.Violated(this, $"The fleet order of {caller} says of {told.DeviceId}: {told.Status}, {told.Outcome}; its command is {command?.Row.State.ToString() ?? "not there"}, {command?.Row.Outcome}.");
        }

        var counted = (fleet.Accepted, fleet.Succeeded, fleet.Failed, fleet.Refused);
        if (counted != (fleet.Outcomes.Count(static end => end.CommandId is not null), Ended(CommandStatus.Success), Ended(CommandStatus.Failed), Ended(CommandStatus.Rejected))) facts.Violated(this, $"The fleet order of {caller} counts {counted} accepted, succeeded, failed and refused, which is not what became of its devices.");
        if (fleet.Outcomes.Count() != fleet.Devices) facts.Violated(this, $"The fleet order of {caller} is over, and says nothing of some of its devices.");

        int Ended(CommandStatus status) => fleet.Outcomes.Count(end => end.Status == status);
    }

    /// <summary>A fleet order has no more devices under way than it may. Of those of which it gave up to hear, commands may be open all the same.</summary>
    private void CheckAtOnce(SimNode caller, Facts facts)
    {
        var open = facts.Open.Values.Count(command => command.Row.Spec.Caller == caller.Key && command.Row.Spec.IdempotencyKey?.StartsWith(SimCaller.Curtailment, StringComparison.Ordinal) == true);
        if (open > 3 * SimCaller.CurtailedAtOnce) facts.Violated(this, $"The fleet order of {caller} has {open} devices under way; {SimCaller.CurtailedAtOnce} may be.");
    }

    /// <summary>What a view says of a command is what never changes of it, and a Worker that it is or was at.</summary>
    private static bool IsOf(CommandView view, CommandFacts command) =>
        command.Row.Spec is var spec && view.Command == spec.Command && view.DeviceId == spec.DeviceId && view.Scope == CommandWords.Of(spec.Scope) && view.CreatedAt == spec.CreatedAt
        && (view.WorkerId == command.Row.WorkerId || view.WorkerId == command.FirstWorkerId || spec.DeviceId is not null && view.WorkerId is not null);

    private static string? Wrong(CallEnd call, List<WireMessage>? answers) =>
        call.Order is not null && answers is null ? "the acceptance"
        : call.Cancelled is { } cancelled && !Any(answers, answer => answer.Action == OrkAction.CommandCancelResponse && answer.Cancelled == cancelled) ? $"cancelled: {cancelled}"
        : call.View is { } view && (view.CommandId != call.CommandId || !Any(answers, answer => Same(view, answer))) ? $"{view.Status}, attempt {view.Attempt}, {view.Error}"
        : null;

    private static bool Any(List<WireMessage>? answers, Predicate<WireMessage> predicate) => answers?.Exists(predicate) ?? false;

    private static bool Same(CommandView view, WireMessage answer) =>
        answer.Action == OrkAction.CommandStatusResponse && view.Status == answer.Status && view.Attempt == answer.Attempt && view.Retries == answer.Retries && view.Error == answer.Error
        && (view.Result.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null) == (answer.Result.IsEmpty || answer.Result.Span.SequenceEqual("null"u8));
}
