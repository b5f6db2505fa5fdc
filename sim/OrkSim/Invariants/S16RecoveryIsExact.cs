using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Ork.Kernel;
using Ork.Protocol;

namespace OrkSim;

/// <summary>S16: what a kernel says it has in memory is what the store says, after a recovery and ever after.</summary>
public sealed class RecoveryIsExact : IInvariant
{
    /// <inheritdoc/>
    public string Id => "S16";

    /// <inheritdoc/>
    public string Says => "What a kernel says it has in memory is what the store says, after a recovery and ever after.";

    /// <inheritdoc/>
    public SimEventKind Hears => SimEventKind.FrameSent | SimEventKind.StoreOpened | SimEventKind.CommitDurable | SimEventKind.Note;

    private readonly WorkerViews _views = new();

    // Each Worker as it is on the disk; and of those in the latest commit, as that found and left them: what is told with it may be of before its last word.
    private readonly Dictionary<string, WorkerRow> _stored = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<WorkerRow>> _latest = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _replaced = new(StringComparer.Ordinal);
    private long _accepted;
    private long _succeeded;
    private long _failed;

    private static readonly long Moment = TimeSpan.FromSeconds(2).Ticks;

    // That a kernel takes to hear that it is to end.
    private static readonly long Turn = TimeSpan.FromMilliseconds(100).Ticks;

    /// <inheritdoc/>
    public void Hear(in SimEvent happened, Facts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        if (happened.Kind is SimEventKind.StoreOpened or SimEventKind.CommitDurable) Count(in happened, facts);
        if (happened.Node != facts.Holder) return;
        if (happened.Kind == SimEventKind.StoreOpened) _views.Clear();
        if (happened.Kind == SimEventKind.Note) _views.Hear(in happened);
        if (happened.Note == KernelEvent.Recovered) CheckHeld(facts);
        if (happened is { Note: KernelEvent.JournalReplaced, Subject: { } replaced }) _replaced[replaced] = _replaced.GetValueOrDefault(replaced) + 1;
        if (happened.Message is not { } message) return;
        if (message.Action == OrkAction.CommandStatusResponse && message.CommandId is { } id) CheckStatus(id, message, facts);
        else if (message is { Action: OrkAction.CommandResult, CommandId: { } repeated }) CheckRepeated(in happened, repeated, message.Status, facts);
        else if (message.Action == OrkAction.WorkerListResponse) CheckListing(in happened, message, facts);
        else if (message.Action == OrkAction.WorkerHoldResponse) CheckHold(in happened, facts);
        else if (message.Action == OrkAction.DeviceCapabilitiesResponse) CheckCapabilities(in happened, message, facts);
    }

    /// <summary>A kernel that starts holds open what an operator holds so.</summary>
    private void CheckHeld(Facts facts)
    {
        foreach (var row in _stored.Values.OrderBy(static row => row.WorkerId, StringComparer.Ordinal))
        {
            if (row is { Hold: CircuitHold.Open, Terminated: false } && facts.CircuitOf(row.WorkerId) != KernelEvent.CircuitOpened) facts.Violated(this, $"{row.WorkerId} is held open in the store, and the kernel that starts does not hold its circuit open.");
        }
    }

    /// <summary>A kernel that says that it holds a Worker's circuit holds it as it was told to.</summary>
    private void CheckHold(in SimEvent happened, Facts facts)
    {
        if (!happened.Connection!.Facts!.Questions.TryGetValue(happened.Correlation, out var asked) || HoldIn(asked.Envelope) is not { } told || HoldIn(happened.Payload) is not { } said) return;
        if (facts.TerminatedTicks.TryGetValue(said.WorkerId, out var gone) && gone < asked.Ticks) facts.Violated(this, $"The kernel says that it holds {said.WorkerId} {said.Hold}, which was taken out of service before.");
        if (told != said) facts.Violated(this, $"The kernel was told to hold {told.WorkerId} {told.Hold}, and says that it holds {said.WorkerId} {said.Hold}.");
        if (!WasOnDisk(said.WorkerId, row => row.Hold == said.Hold)) facts.Violated(this, $"The kernel says that it holds {said.WorkerId} {said.Hold}, which is not on the disk.");

        // A circuit that is held open is open, and one that is held closed or let go is closed at that moment.
        var answer = JsonElement.Parse(EnvelopeReader.Read(happened.Payload, out var envelope) is null ? envelope.Payload.Span : "{}"u8);
        var circuit = answer.TryGetProperty("circuit", out var state) ? state.GetString() : null;
        if (circuit != (said.Hold == CircuitHold.Open ? "Open" : "Closed")) facts.Violated(this, $"The kernel says that it holds {said.WorkerId} {said.Hold}, and that its circuit is {circuit}.");
    }

    private static (string WorkerId, CircuitHold Hold)? HoldIn(ReadOnlyMemory<byte> frame) =>
        EnvelopeReader.Read(frame, out var envelope) is null && PayloadRules.ReadHold(envelope.Payload, out var workerId, out var hold) is null ? (workerId, hold) : null;

    private void Count(in SimEvent happened, Facts facts)
    {
        if (happened.Kind == SimEventKind.StoreOpened)
        {
            (_accepted, _succeeded, _failed) = (0, 0, 0);
            _replaced.Clear();
            return;
        }

        Note(happened.Batch!.Workers, facts);
        _accepted += happened.Batch.NewCommands.Count;
        foreach (var row in happened.Batch.Log)
        {
            if (row.To == CommandState.Success) _succeeded++;
            else if (row.To == CommandState.Failed) _failed++;
        }
    }

    private void Note(List<WorkerRow> rows, Facts facts)
    {
        _latest.Clear();
        foreach (var row in rows)
        {
            if (!_latest.TryGetValue(row.WorkerId, out var states)) _latest.Add(row.WorkerId, states = _stored.TryGetValue(row.WorkerId, out var before) ? [before] : []);
            states.Add(row);
            if (_stored.TryGetValue(row.WorkerId, out var known)) CheckJournal(known, row, facts);
            _stored[row.WorkerId] = row;
        }
    }

    /// <summary>Whose journal does not know the one that the store tells of is told to be another one.</summary>
    private void CheckJournal(WorkerRow before, WorkerRow now, Facts facts)
    {
        if (before.Journal.Length == 0 || before.Journal == now.Journal || !facts.World.IsHonest(now.WorkerId) || facts.World.JournalOf(now.WorkerId).Knows(now.Journal, before.Journal)) return;
        if (--CollectionsMarshal.GetValueRefOrAddDefault(_replaced, now.WorkerId, out _) < 0) facts.Violated(this, $"The kernel relies on opening '{now.Journal}' of {now.WorkerId}'s journal, which does not know '{before.Journal}', and does not say that it is another one.");
    }

    private bool WasOnDisk(string worker, Func<WorkerRow, bool> asTold) =>
        _latest.TryGetValue(worker, out var states) ? states.Exists(row => asTold(row)) : _stored.TryGetValue(worker, out var row) && asTold(row);

    /// <inheritdoc/>
    public void End(Facts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        if (!facts.IsServed || facts.CommitInFlight) return;
        foreach (var link in facts.WorkerLinks)
        {
            if (link.KernelSide.Owner != facts.Holder || !facts.World.IsHonest(link.Peer.Name)) continue;
            CheckStates(link, facts);
            CheckContract(link, facts);
        }
    }

    /// <summary>What a Worker can, and which journal it keeps, as it told with its registration, is what the store holds of it.</summary>
    private void CheckContract(LinkFacts link, Facts facts)
    {
        var (payload, told) = link.Contract;
        if (!link.IsRegistered || facts.NowTicks - told < Moment || !facts.Workers.TryGetValue(link.Peer.Name, out var row)) return;
        if (row.Contract.IsEmpty || payload.Span.IndexOf(row.Contract.Span) < 0) facts.Violated(this, $"{link.Peer} told another contract than the store has, {SimDefaults.Seconds(facts.NowTicks - told)} s ago.");
        if (facts.World.Ports.Worker is null && row.Features.Split(',').Contains(IdentityPayload.JournalFeature) != facts.World.KeepsJournal(row.WorkerId)) facts.Violated(this, $"{link.Peer} {(facts.World.KeepsJournal(row.WorkerId) ? "keeps a journal" : "keeps no journal")}; in the store its features are '{row.Features}'.");
        if (facts.World.JournalOf(row.WorkerId) is var journal && journal.OpenedTicks < link.OpenedTicks && row.Journal != journal.Incarnation) facts.Violated(this, $"{link.Peer} told that its journal's opening is '{journal.Incarnation}'; in the store it is '{row.Journal}'.");
    }

    /// <summary>What a Worker last told of its devices is what the store holds of them.</summary>
    private void CheckStates(LinkFacts link, Facts facts)
    {
        var (payload, told) = link.States;
        if (told == 0 || facts.NowTicks - told < Moment || PayloadRules.ReadState(EnvelopeReader.Read(payload, out var envelope) is null ? envelope.Payload : default, out var states) is not null) return;
        var reader = new PayloadReader(states);
        while (reader.Next())
        {
            if (reader.Name() is not { } device || facts.Owners.GetValueOrDefault(device) != link.Peer.Name || facts.States[device] is var known && known.OwnedTicks >= told - Moment) continue;
            if (!reader.Raw().Span.SequenceEqual(known.State.Span)) facts.Violated(this, $"{link.Peer} told another state of {device} than the store has, {SimDefaults.Seconds(facts.NowTicks - told)} s ago.");
        }
    }

    private void CheckStatus(string id, WireMessage told, Facts facts)
    {
        if (!facts.Commands.TryGetValue(id, out var command)) return;
        if (command.ForgottenTicks < facts.ReleasedSince(facts.Holder!)) facts.Violated(this, $"The kernel tells how {id} stands, which the store has let go.");
        if (command.Forgotten) return;
        var row = command.Row;
        var same = (int)row.State == (int)told.Status && row.Attempt == told.Attempt && row.Retries == told.Retries && row.Error == told.Error
            && row.Outcome == told.Outcome && row.UpdatedAt == told.UpdatedAt && row.Result.Span.SequenceEqual(told.Result.Span);
        if (same) return;

        // An answer made in the turn that changed the command may stand before that change.
        if (command.TouchedTicks == facts.DurableTicks && command.Log.FindIndex(Math.Max(0, command.LoggedBefore - 1), entry => (int)entry.To == (int)told.Status && entry.Attempt == told.Attempt) >= 0) return;
        facts.Violated(this, $"The kernel says {id} is {told.Status} {told.Error}, attempt {told.Attempt}, retries {told.Retries}; the store says {row.State} {row.Error}, {row.Attempt}, {row.Retries}.");
    }

    /// <summary>Who repeats an order is told how its command stands.</summary>
    private void CheckRepeated(in SimEvent answer, string id, CommandStatus told, Facts facts)
    {
        if (answer.Connection!.Facts is not { Peer.Kind: NodeKind.Caller } link || !link.Questions.TryGetValue(answer.Correlation, out var asked) || !facts.Commands.TryGetValue(id, out var command)) return;
        if (command.IsTerminal && command.TouchedTicks < asked.Ticks && (int)command.Row.State != (int)told) facts.Violated(this, $"Who repeats the order of {id} is told that it is {told}; it is {command.Row.State}.");
    }

    private void CheckListing(in SimEvent happened, WireMessage told, Facts facts)
    {
        if (AskedInQuiet(in happened, facts) is not { } asked) return;
        if (!told.Listing.TryGetProperty("kernel", out var kernel)) return;
        var open = kernel.GetProperty("openCommands").GetInt32();
        if (open != facts.Open.Count) facts.Violated(this, $"The kernel says {open} commands are open; in the store there are {facts.Open.Count}.");
        var (bytes, inStore) = (kernel.GetProperty("openBytes").GetInt64(), facts.Open.Values.Sum(static command => command.Row.Spec.RequestBytes));
        if (bytes != inStore) facts.Violated(this, $"The kernel says the open commands have {bytes} bytes; in the store they have {inStore}.");
        var settled = kernel.GetProperty("settledRetained").GetInt32();
        if (settled != facts.Settled) facts.Violated(this, $"The kernel says it keeps {settled} settled commands; in the store there are {facts.Settled}.");
        if (!kernel.TryGetProperty("draining", out var draining) || draining.GetBoolean() && happened.Node!.StopTicks is null || !draining.GetBoolean() && Math.Max(happened.Node!.StopTicks ?? long.MaxValue - Turn, facts.AwakeTicks) + Turn < asked.Ticks) facts.Violated(this, $"The kernel says whether it is about to end: {draining}; it was told to {(happened.Node!.StopTicks is { } stop ? $"{SimDefaults.Seconds(happened.Ticks - stop)} s ago" : "by nobody")}.");
        if (kernel.GetProperty("epoch").GetInt64() is var epoch && epoch != facts.Epoch) facts.Violated(this, $"The kernel says its epoch is {epoch}; it opened the store with {facts.Epoch}.");
        var inFlight = facts.Open.Values.Count(static command => command.Row.State is CommandState.Dispatched or CommandState.Executing);
        if (kernel.GetProperty("inFlight").GetInt32() is var sent && sent != inFlight) facts.Violated(this, $"The kernel says {sent} commands are in flight; in the store there are {inFlight}.");
        var (upMs, knownMs) = (kernel.GetProperty("uptimeMs").GetInt64(), (happened.Ticks - facts.HeldSinceTicks) / TimeSpan.TicksPerMillisecond);
        if (Math.Abs(upMs - knownMs) > Moment / TimeSpan.TicksPerMillisecond && facts.AwakeTicks == facts.HeldSinceTicks) facts.Violated(this, $"The kernel says it is up for {upMs} ms; it opened the store {knownMs} ms ago.");
        if (kernel.GetProperty("longPolls").GetInt32() is var polls && (polls < 0 || polls > facts.World.KernelOptions.Commands.MaxWaiters)) facts.Violated(this, $"The kernel says {polls} long polls wait; {facts.World.KernelOptions.Commands.MaxWaiters} may.");
        CheckTotal(kernel, "accepted", _accepted, facts);
        CheckTotal(kernel, "succeeded", _succeeded, facts);
        CheckTotal(kernel, "failed", _failed, facts);
        if (!told.Listing.TryGetProperty("workers", out var workers)) return;
        var withDevices = asked.Envelope.Span.IndexOf("\"devices\":true"u8) >= 0;
        if (LimitIn(asked) is { } limit && workers.GetArrayLength() > limit) facts.Violated(this, $"The kernel lists {workers.GetArrayLength()} Workers; at most {limit} were asked for.");
        foreach (var view in workers.EnumerateArray()) CheckWorker(view, withDevices, asked.Ticks, facts);
        if (NamedIn(asked) is { } named && facts.Workers.ContainsKey(named) && workers.GetArrayLength() == 0) facts.Violated(this, $"The kernel lists nothing of {named}, which the store has.");
    }

    /// <summary>A question that was asked after the latest commit, while none was under way: memory and disk are to be the same then.</summary>
    private static Question? AskedInQuiet(in SimEvent answer, Facts facts) =>
        answer.Connection!.Facts!.Questions.TryGetValue(answer.Correlation, out var asked) && !facts.CommitInFlight && facts.DurableTicks < asked.Ticks && facts.HeldSinceTicks < asked.Ticks ? asked : null;

    private static string? NamedIn(in Question asked) => PayloadReader.TextOf(MemberOf(asked, "workerId"u8));

    private static long? LimitIn(in Question asked) => long.TryParse(MemberOf(asked, "limit"u8).Span, CultureInfo.InvariantCulture, out var limit) ? limit : null;

    /// <summary>A member of a question's payload as it stands there; empty where it has none.</summary>
    private static ReadOnlyMemory<byte> MemberOf(in Question asked, ReadOnlySpan<byte> name)
    {
        if (EnvelopeReader.Read(asked.Envelope, out var envelope) is not null) return default;
        var reader = new PayloadReader(envelope.Payload);
        while (reader.Next())
        {
            if (reader.Is(name)) return reader.Raw();
        }

        return default;
    }

    private void CheckTotal(JsonElement kernel, string name, long inStore, Facts facts)
    {
        if (!kernel.TryGetProperty(name, out var told) || told.GetInt64() != inStore) facts.Violated(this, $"The kernel says of its commands {name}: {(told.ValueKind == JsonValueKind.Undefined ? "nothing" : told)}; since it opened the store it was {inStore}.");
    }

    /// <summary>What a device can is what its Worker's contract says, as the store has it.</summary>
    private void CheckCapabilities(in SimEvent happened, WireMessage told, Facts facts)
    {
        CheckContractIsStored(told, facts);
        if (AskedInQuiet(in happened, facts) is not { } asked || EnvelopeReader.Read(asked.Envelope, out var question) is not null || question.DeviceId.Decode() is not { } device) return;
        if (facts.Owners.GetValueOrDefault(device) is not { } owner || !facts.Workers.TryGetValue(owner, out var row)) return;
        var isTold = told.Listing.TryGetProperty("contract", out var contract) && told.Listing.GetProperty("workerId").GetString() == owner && told.Listing.GetProperty("deviceId").GetString() == device;
        if (!row.Contract.IsEmpty && !(isTold && JsonElement.DeepEquals(contract, JsonElement.Parse(row.Contract.Span)))) facts.Violated(this, $"The kernel tells of {device}, which is {owner}'s, another contract than the store has, or none.");
    }

    /// <summary>A contract that is told came to the disk first.</summary>
    private void CheckContractIsStored(WireMessage told, Facts facts)
    {
        if (!told.Listing.TryGetProperty("contract", out var contract) || told.Listing.GetProperty("workerId").GetString() is not { } worker) return;
        if (!WasOnDisk(worker, row => !row.Contract.IsEmpty && JsonElement.DeepEquals(contract, JsonElement.Parse(row.Contract.Span)))) facts.Violated(this, $"The kernel tells what {worker} can, which is not on the disk.");
    }

    private void CheckWorker(JsonElement view, bool withDevices, long askedTicks, Facts facts)
    {
        var id = view.GetProperty("workerId").GetString()!;
        if (!facts.Workers.TryGetValue(id, out var row)) return;
        if (_views.Wrong(view, row, askedTicks, facts) is { } wrong) facts.Violated(this, wrong);
        var devices = facts.Owners.Values.Count(owner => owner == id);
        var inFlight = facts.Open.Values.Count(command => command.Row.WorkerId == id && command.Row.State is CommandState.Dispatched or CommandState.Executing);
        var open = facts.Open.Values.Count(command => command.Row.WorkerId == id);
        if (view.GetProperty("deviceCount").GetInt32() is var count && count != devices) facts.Violated(this, $"The kernel says {id} has {count} devices; in the store it has {devices}.");
        if (withDevices && !view.GetProperty("devices").EnumerateArray().Select(static device => device.GetString()!).Order(StringComparer.Ordinal).SequenceEqual(facts.Owners.Where(owned => owned.Value == id).Select(static owned => owned.Key).Order(StringComparer.Ordinal))) facts.Violated(this, $"The kernel lists other devices of {id} than it has in the store.");
        if (!row.Contract.IsEmpty && (!view.TryGetProperty("deviceFamily", out var family) || family.ValueKind == JsonValueKind.Null)) facts.Violated(this, $"The kernel does not say of which family the devices of {id} are.");
        if ((view.TryGetProperty("endpoint", out var at) ? at.GetString() : null) is var endpoint && endpoint != row.Endpoint) facts.Violated(this, $"The kernel says {id} is at {endpoint}; the store says {row.Endpoint}.");
        if (view.GetProperty("key").GetString() is var key && key != row.PeerKey) facts.Violated(this, $"The kernel says the key of {id} is {key}; the store says {row.PeerKey}.");
        if (view.GetProperty("hold").GetString() is var hold && hold != CircuitHolds.Of(row.Hold)) facts.Violated(this, $"The kernel says {id} is held {hold}; the store says {row.Hold}.");
        if (row is { Hold: CircuitHold.Open, Terminated: false } && view.GetProperty("circuit").GetString() is var circuit && circuit != "Open") facts.Violated(this, $"The store says that {id} is isolated; the kernel says its circuit is {circuit}.");
        if (view.GetProperty("inFlight").GetInt32() is var sent && sent != inFlight) facts.Violated(this, $"The kernel says {sent} commands are in flight at {id}; in the store there are {inFlight}.");
        if (view.GetProperty("queued").GetInt32() is var queued && queued + sent != open) facts.Violated(this, $"The kernel says {queued + sent} commands are open at {id}; in the store there are {open}.");
    }
}
