using System.Text;
using System.Text.Json;
using Ork.Protocol;
using OrkSim;

namespace Ork.Kernel.Tests;

/// <summary>Something that left the core.</summary>
/// <param name="AtOnce">True for the lane that does not wait for the commit.</param>
/// <param name="Session">The session, 0 where none.</param>
/// <param name="Kind">Its kind.</param>
/// <param name="Correlation">The frame's correlation.</param>
/// <param name="Action">The envelope's action.</param>
/// <param name="Payload">The envelope's payload.</param>
/// <param name="Detail">Reason of a close, target of a dial.</param>
internal sealed record Seen(bool AtOnce, long Session, EffectKind Kind, ulong Correlation, OrkAction Action, JsonElement Payload, object? Detail);

/// <summary>
/// Drives the core by hand, a turn an input: virtual time, seeded chance, a model disk. What a Worker or caller would say is said by the test.
/// </summary>
internal sealed class CoreHarness
{
    internal const string DefaultContract = """
        {"metadata":{"deviceFamily":"miner"},"capabilities":{"commands":[
          {"name":"reboot","params":[]},
          {"name":"set-led","idempotent":true,"timeoutMs":1000,"params":[{"name":"on","type":"boolean","required":true}]}]}}
        """;

    private readonly KernelOptions _options;
    private readonly List<Turn> _held = [];
    private Turn _turn = new();
    private bool _diskStands;
    private readonly SeededEntropy _entropy = new(7);
    private IKernelStore _store = null!;
    private long _turns = 1;
    private long _lastCorrelation;

    internal CoreHarness(KernelOptions? options = null)
    {
        _options = (options ?? new KernelOptions()) with { StrictMachines = true };
        Start();
    }

    internal ModelDisk Disk { get; } = new();

    internal RecordingObserver Observer { get; } = new();

    internal KernelCore Core { get; private set; } = null!;

    internal long NowMs { get; private set; } = 1_000;

    internal long UtcMs => 1_700_000_000_000 + NowMs + WallMs;

    /// <summary>By how much the wall clock is ahead of the time that passed, milliseconds.</summary>
    internal long WallMs { get; set; }

    internal List<Seen> Effects { get; } = [];

    /// <summary>Crashes the kernel: memory is gone, the disk stays, a new core recovers from it.</summary>
    internal void Restart()
    {
        _store.DisposeAsync().AsTask().GetAwaiter().GetResult();
        _held.Clear();
        _diskStands = false;
        Start();
    }

    /// <summary>Feeds one input through a turn of its own.</summary>
    internal IReadOnlyList<Seen> Do(InputKind kind, long session = 0, ReceivedFrame frame = default, object? detail = null)
    {
        Begin();
        Core.Handle(new Input(kind, session, frame, detail), _turn);
        Core.AdvanceTimers(_turn);
        return End();
    }

    /// <summary>The drain's time is over: what is in flight is recorded for the next start.</summary>
    internal void ShutDown()
    {
        Begin();
        Core.Ledger.ShutDown(_turn);
        End();
    }

    /// <summary>Lets time pass.</summary>
    internal IReadOnlyList<Seen> Pass(long ms)
    {
        var seen = new List<Seen>();
        for (var until = NowMs + ms; NowMs < until;)
        {
            NowMs = Math.Min(until, Math.Max(NowMs + 1, Core.Timers.NextDueMs ?? until));
            Begin();
            Core.AdvanceTimers(_turn);
            seen.AddRange(End());
        }

        return seen;
    }

    /// <summary>Lets time pass of which the kernel knows nothing: its process is stopped.</summary>
    internal void StandStill(long ms) => NowMs += ms;

    /// <summary>From here on what a commit holds back stays where it is: the disk does not tell that it is done.</summary>
    internal void DiskStands() => _diskStands = true;

    /// <summary>The disk tells at last: what it held back leaves.</summary>
    internal IReadOnlyList<Seen> DiskGoesOn()
    {
        _diskStands = false;
        var late = new List<Seen>();
        Begin();
        foreach (var held in _held)
        {
            Core.Leave(held, _turn);
            late.AddRange(Read(held.AfterCommit, false));
        }

        _held.Clear();
        Effects.AddRange(late);
        return [.. late, .. End()];
    }

    /// <summary>A caller asks; what leaves the core is returned.</summary>
    internal IReadOnlyList<Seen> Ask(string action, string payload, string? deviceId = null, long session = 900, string caller = "uid:0", string type = "request") =>
        Do(InputKind.CallerRequest, session, Frame(FrameKind.Request, (ulong)++_lastCorrelation, action, payload, deviceId, type), caller);

    /// <summary>A caller asks and is answered in the same turn.</summary>
    internal JsonElement AskOne(string action, string payload, string? deviceId = null, string caller = "uid:0")
    {
        var answer = Ask(action, payload, deviceId, caller: caller).Single(seen => seen.Session == 900);
        return answer.Payload;
    }

    internal string Send(string deviceId = "d1", string command = "reboot", string parameters = "{}", string extra = "")
    {
        var answer = AskOne("command.request", $$"""{"command":"{{command}}","params":{{parameters}}{{extra}}}""", deviceId);
        Assert.Equal("QUEUED", answer.GetProperty("status").GetString());
        return answer.GetProperty("commandId").GetString()!;
    }

    internal JsonElement Status(string commandId) => AskOne("command.status", $$"""{"commandId":"{{commandId}}"}""");

    internal string StatusWord(string commandId) => Status(commandId).GetProperty("status").GetString()!;

    /// <summary>A Worker's link comes up; its registration is answered and it turns healthy.</summary>
    internal void Register(long session = 1, string workerId = "w1", string[]? devices = null, string contract = DefaultContract, bool journal = true, string key = "k1", DialTarget? target = null, string[]? incarnations = null)
    {
        var asked = Link(session, workerId, key, target);
        AnswerPing(asked);
        var capability = Answer(asked.Single(seen => seen.Action == OrkAction.IdentityRequest), Identity(workerId, devices ?? ["d1", "d2"], journal, incarnations));
        Answer(capability.Single(seen => seen.Action == OrkAction.CapabilityRequest), $$"""{"contract":{{contract}}}""");
        Assert.Equal(WorkerState.Ready, Core.Registry.FindWorker(workerId)!.State);
        Assert.Equal(HealthState.Healthy, Core.Health.Of(Core.Registry.FindWorker(workerId)!));
    }

    internal IReadOnlyList<Seen> Link(long session = 1, string workerId = "w1", string key = "k1", DialTarget? target = null) =>
        Do(InputKind.LinkUp, session, detail: new LinkGreeting(workerId, new PeerIdentity(key, "test"), target));

    internal void AnswerPing(IEnumerable<Seen> asked) => Answer(asked.Single(seen => seen.Action == OrkAction.HealthPing), """{"status":"ok"}""");

    internal static string Identity(string workerId, string[] devices, bool journal = true, string[]? incarnations = null) =>
        $$"""{"workerId":"{{workerId}}","devices":[{{string.Join(',', devices.Select(device => $$"""{"deviceId":"{{device}}"}"""))}}],"features":[{{(journal ? "\"journal\"" : "")}}],"journal":{{JsonSerializer.Serialize(incarnations ?? [])}}}""";

    /// <summary>A Worker answers a request.</summary>
    internal IReadOnlyList<Seen> Answer(Seen request, string payload) =>
        Do(InputKind.WorkerAnswer, request.Session, Frame(FrameKind.Response, request.Correlation, OrkActions.NameOf(OrkActions.AnswerTo(request.Action)), payload, null, "response"));

    internal IReadOnlyList<Seen> AnswerRaw(Seen request, string bytes) =>
        Do(InputKind.WorkerAnswer, request.Session, new ReceivedFrame(FrameKind.Response, request.Correlation, Encoding.UTF8.GetBytes(bytes)));

    internal IReadOnlyList<Seen> Succeed(Seen request) => Result(request, "SUCCESS", "null");

    internal IReadOnlyList<Seen> Result(Seen request, string status, string error) =>
        Answer(request, $$"""{"commandId":"{{request.Payload.GetProperty("commandId").GetString()}}","status":"{{status}}","result":{"done":1},"error":{{error}}}""");

    /// <summary>The latest command request sent to a Worker.</summary>
    internal Seen LastCommand() => Effects.Last(seen => seen.Action == OrkAction.CommandRequest);

    internal int CommandsSent() => Effects.Count(seen => seen.Action == OrkAction.CommandRequest);

    private sealed class NoLinks : IOpenLinks
    {
        public int Open => 0;
    }

    private void Start()
    {
        _store = Disk.OpenAsync().AsTask().GetAwaiter().GetResult();
        Begin();
        Core = new KernelCore(_options, _store.TakeImage(), _entropy, Observer, new NoLinks(), _turn);
        End();
    }

    private void Begin()
    {
        _turn.Begin(++_turns);
        _turn.NowMs = NowMs;
        _turn.UtcMs = UtcMs;
    }

    private List<Seen> End()
    {
        _turn.Seal();
        if (_turn.Records.Count > 0) _store.CommitAsync(_turn.Records).AsTask().GetAwaiter().GetResult();
        AssertDiskIsMemory();
        AssertLocksAreTheLedgers();
        var seen = Read(_turn.AtOnce, true).ToList();
        if (_diskStands)
        {
            _held.Add(_turn);
            _turn = new Turn();
        }
        else
        {
            // No time passes: nothing is too late to leave, and so this records nothing.
            Core.Leave(_turn, _turn);
            seen.AddRange(Read(_turn.AfterCommit, false));
        }

        Effects.AddRange(seen);
        return seen;
    }

    /// <summary>S1 and S16 after every turn of every test: what the core believes of a command is what a crash would leave of it.</summary>
    private void AssertDiskIsMemory()
    {
        var memory = Core.Ledger.All.OrderBy(command => command.Seq).Select(command => Facts(command.ToRow()));
        Assert.Equal(Disk.Commands.Select(Facts), memory);
        foreach (var worker in Core.Registry.Workers)
        {
            var owned = Disk.Devices.Where(row => row.WorkerId == worker.WorkerId).Select(row => row.DeviceId);
            Assert.Equal(owned, worker.Devices.Select(device => device.DeviceId).Order(StringComparer.Ordinal));
        }
    }

    /// <summary>S8 after every turn of every test: at most one command in flight per device, and a lock held is the lock of one.</summary>
    private void AssertLocksAreTheLedgers()
    {
        var inFlight = Core.Ledger.All.Where(command => command.InFlight).SelectMany(command => command.Spec.Targets ?? [command.Spec.DeviceId!]).Order(StringComparer.Ordinal);
        Assert.Equal(inFlight, Core.Locks.Devices.Where(device => device.State == DeviceLockState.Held).Select(device => device.DeviceId).Order(StringComparer.Ordinal));
        var open = Core.Ledger.All.Where(command => !command.IsTerminal).Sum(command => command.Spec.Targets?.Count ?? 1);
        Assert.Equal(open, Core.Locks.Devices.Sum(device => device.Depth));
    }

    private static (long, CommandState, string, int, int, int, int, bool, int, bool, string?, CommandOutcome) Facts(CommandRow row) => (
        row.Seq, row.State, row.WorkerId, row.Attempt, row.Retries, row.Recoveries, row.Transitions, row.SentEver, row.DoubtfulFrom, row.StopRequested, row.Error, row.Outcome);

    private static IEnumerable<Seen> Read(EffectBatch batch, bool atOnce)
    {
        foreach (var effect in batch.Effects)
        {
            if (effect.Detail is Ask { Expired: true }) continue;
            if (effect.Kind != EffectKind.Send)
            {
                yield return new Seen(atOnce, effect.Session, effect.Kind, 0, OrkAction.None, default, effect.Detail);
                continue;
            }

            Assert.Null(EnvelopeReader.Read(batch.BytesOf(in effect).ToArray(), out var envelope));
            yield return new Seen(atOnce, effect.Session, effect.Kind, effect.Correlation, envelope.Action, JsonElement.Parse(envelope.Payload.Span), null);
        }
    }

    private ReceivedFrame Frame(FrameKind kind, ulong correlation, string action, string payload, string? deviceId, string type)
    {
        var device = deviceId is null ? "null" : $"\"{deviceId}\"";
        var json = $$"""{"id":"m{{correlation}}","version":"0.2.0","type":"{{type}}","action":"{{action}}","sender":"test","deviceId":{{device}},"timestamp":1,"payload":{{payload}}}""";
        return new ReceivedFrame(kind, correlation, Encoding.UTF8.GetBytes(json));
    }
}

internal sealed class SeededEntropy(ulong seed) : IEntropy
{
    private ulong _state = seed;

    public ulong NextBits()
    {
        // SplitMix64.
        var z = _state += 0x9E3779B97F4A7C15UL;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }
}

/// <summary>Remembers every transition and event.</summary>
internal sealed class RecordingObserver : IKernelObserver
{
    internal List<(string Machine, string From, string Trigger, string To)> Transitions { get; } = [];

    internal List<KernelEvent> Events { get; } = [];

    internal List<string?> Details { get; } = [];

    internal List<(OrkAction Action, ErrorCode? Error)> Exchanges { get; } = [];

    public void Transition<TState, TTrigger>(ModuleMachine<TState, TTrigger> machine, string entity, TState from, TTrigger trigger, TState to)
        where TState : struct, Enum
        where TTrigger : struct, Enum => Transitions.Add((machine.Name, from.ToString(), trigger.ToString(), to.ToString()));

    public void Note(KernelEvent what, string subject, string? detail = null)
    {
        lock (Events)
        {
            Events.Add(what);
            Details.Add(detail);
        }
    }

    public void Settled(in CommandRow command)
    {
    }

    public void Committed(int records, TimeSpan elapsed)
    {
    }

    public void Exchanged(OrkAction action, string workerId, long elapsedMs, ErrorCode? error) => Exchanges.Add((action, error));
}
