using System.Buffers;
using System.Diagnostics;
using System.Text;
using Ork.Protocol;

namespace Ork.Benchmarks;

/// <summary>How much is asked, and for how long.</summary>
internal sealed record LoadPlan
{
    /// <summary>The devices, asked in turn.</summary>
    public required string[] Devices { get; init; }

    /// <summary>Calls in flight at any time.</summary>
    public required int InFlight { get; init; }

    /// <summary>How long before it counts.</summary>
    public TimeSpan WarmUp { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long it counts.</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How many calls end it, where the time does not.</summary>
    public long Calls { get; init; } = long.MaxValue;

    /// <summary>Called when it begins to count, and when it no longer does.</summary>
    public Action<bool>? Marked { get; init; }

    /// <summary>Called after every so many calls that ended.</summary>
    public (long Calls, Action<long> Told)? Every { get; init; }

    /// <summary>True: what is refused or fails is counted and not the end of the load.</summary>
    public bool MayFail { get; init; }

    /// <summary>True: the load ends.</summary>
    public Func<bool>? Ended { get; init; }
}

/// <summary>What came of it.</summary>
internal sealed record LoadResult(long Calls, double Seconds, double[] LatenciesMs, long Failed)
{
    internal double PerSecond => Calls / Seconds;

    internal double P50Ms => Percentile(0.50);

    internal double P99Ms => Percentile(0.99);

    private double Percentile(double share) => LatenciesMs.Length == 0 ? double.NaN : LatenciesMs[(int)Math.Min(LatenciesMs.Length - 1, share * LatenciesMs.Length)];
}

/// <summary>
/// One caller on one thread and one link, a fixed number of calls in flight: where one ends the next begins. It reads answers no further than it must.
/// </summary>
internal sealed class Load
{
    private static readonly byte[] Order = Encoding.UTF8.GetBytes("{\"command\":\"" + Answerer.Command + "\",\"params\":{\"pct\":80}}");
    private static readonly byte[] Query = """{"query":{"type":"metrics"}}"""u8.ToArray();
    private static readonly Utf8Text Sender = Utf8Text.Plain("load");
    private static readonly TimeSpan PaceStep = TimeSpan.FromMilliseconds(20);

    private readonly FrameSocket _link;
    private readonly LoadPlan _plan;
    private readonly bool _commands;
    private readonly Utf8Text[] _devices;
    private readonly Utf8Text[] _ids;
    private readonly long[] _began;
    private readonly bool[] _accepted;
    private readonly List<long> _latencies = new(1 << 20);
    private readonly ArrayBufferWriter<byte> _buffer = new(1024);
    private int _next;
    private int _open;
    private long _ended;
    private long _failed;
    private bool _counts;
    private volatile bool _isRead;

    private Load(FrameSocket link, LoadPlan plan, bool commands)
    {
        _link = link;
        _plan = plan;
        _commands = commands;
        _devices = [.. plan.Devices.Select(Utf8Text.Plain)];
        _ids = [.. Enumerable.Range(0, plan.InFlight).Select(slot => Utf8Text.Plain($"load-{slot}"))];
        _began = new long[plan.InFlight];
        _accepted = new bool[plan.InFlight];
    }

    /// <summary>Commands, each from its order to the word that it succeeded.</summary>
    internal static LoadResult Commands(FrameSocket link, LoadPlan plan) => new Load(link, plan, commands: true).Run();

    /// <summary>Telemetry pulls.</summary>
    internal static LoadResult Pulls(FrameSocket link, LoadPlan plan) => new Load(link, plan, commands: false).Run();

    /// <summary>Telemetry pulls at a pace, whatever comes back.</summary>
    internal static void Pace(FrameSocket link, string[] devices, double perSecond, TimeSpan time)
    {
        var load = new Load(link, new LoadPlan { Devices = devices, InFlight = 1 }, commands: false);
        var reading = load.ReadAsync();
        var clock = Stopwatch.StartNew();
        for (var asked = 0L; clock.Elapsed < time; Thread.Sleep(PaceStep))
        {
            for (; asked < clock.Elapsed.TotalSeconds * perSecond; asked++) load.Begin(slot: 0);
            link.FlushSoon();
        }

        while (Interlocked.Read(ref load._ended) < load._open) Thread.Sleep(PaceStep);
        load._isRead = true;
        load.Begin(slot: 0);
        link.FlushSoon();
        reading.GetAwaiter().GetResult();
    }

    /// <summary>Reads until told that one more answer is the last.</summary>
    private async Task ReadAsync()
    {
        while (!_isRead)
        {
            if (!await _link.ReceiveAsync()) throw new IOException("The link of the load was lost.");
            while (_link.TryTake(out _)) Interlocked.Increment(ref _ended);
        }
    }

    private LoadResult Run()
    {
        for (var slot = 0; slot < _plan.InFlight; slot++) Begin(slot);
        _link.FlushSoon();
        var clock = Stopwatch.StartNew();
        Until(clock, _plan.WarmUp, long.MaxValue);
        _plan.Marked?.Invoke(true);
        _counts = true;
        clock.Restart();
        var before = _ended;
        Until(clock, _plan.Duration, _plan.Calls == long.MaxValue ? long.MaxValue : before + _plan.Calls);
        var (calls, seconds) = (_ended - before, clock.Elapsed.TotalSeconds);
        _counts = false;
        _plan.Marked?.Invoke(false);
        Drain();
        var latencies = _latencies.Select(static ticks => ticks * 1000.0 / Stopwatch.Frequency).ToArray();
        Array.Sort(latencies);
        return new LoadResult(calls, seconds, latencies, _failed);
    }

    private void Until(Stopwatch clock, TimeSpan time, long calls)
    {
        while (clock.Elapsed < time && _ended < calls && _plan.Ended?.Invoke() != true) Turn(goOn: true);
    }

    private void Drain()
    {
        while (_open > 0) Turn(goOn: false);
    }

    private void Turn(bool goOn)
    {
        if (!_link.Receive()) throw new IOException("The link of the load was lost.");
        while (_link.TryTake(out var header))
        {
            if (header.Kind != FrameKind.Response) throw new IOException($"The load was told: {Encoding.UTF8.GetString(_link.Payload.Span)}");
            Take((int)header.Correlation, goOn);
        }

        _link.FlushSoon();
    }

    private void Take(int slot, bool goOn)
    {
        var payload = _link.Payload.Span;
        if (_commands && !_accepted[slot] && Text.After(payload, "\"commandId\":\""u8) is { IsEmpty: false } commandId)
        {
            Ask(slot, commandId);
            return;
        }

        // A long poll that ended before the command did: asked again.
        if (_accepted[slot] && payload.IndexOf("\"status\":\"SUCCESS\""u8) < 0 && payload.IndexOf("\"status\":\"FAILED\""u8) < 0)
        {
            Ask(slot, Text.After(payload, "\"commandId\":\""u8));
            return;
        }

        var succeeded = (_commands ? payload.IndexOf("\"status\":\"SUCCESS\""u8) : payload.IndexOf("\"metrics\""u8)) >= 0;
        if (!succeeded && !_plan.MayFail) throw new IOException($"A call of the load failed: {Encoding.UTF8.GetString(payload)}");
        if (!succeeded) _failed++;
        if (succeeded && _counts) _latencies.Add(Stopwatch.GetTimestamp() - _began[slot]);
        _ended++;
        _open--;
        if (_plan.Every is { } every && _ended % every.Calls == 0) every.Told(_ended);
        if (goOn) Begin(slot);
    }

    private void Begin(int slot)
    {
        _open++;
        _began[slot] = Stopwatch.GetTimestamp();
        _accepted[slot] = false;
        Put(slot, _commands ? OrkAction.CommandRequest : OrkAction.TelemetryPull, _devices[_next++ % _devices.Length], _commands ? Order : Query);
    }

    /// <summary>Asks for the end of a command that was just accepted, and waits for it with the kernel.</summary>
    private void Ask(int slot, ReadOnlySpan<byte> commandId)
    {
        _accepted[slot] = true;
        Span<byte> payload = stackalloc byte[128];
        var length = 0;
        Append(payload, ref length, "{\"commandId\":\""u8);
        Append(payload, ref length, commandId);
        Append(payload, ref length, "\",\"waitMs\":30000}"u8);
        Put(slot, OrkAction.CommandStatus, default, payload[..length].ToArray());
    }

    private static void Append(Span<byte> output, ref int length, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(output[length..]);
        length += bytes.Length;
    }

    private void Put(int slot, OrkAction action, Utf8Text deviceId, byte[] payload)
    {
        _buffer.ResetWrittenCount();
        EnvelopeWriter.Write(_buffer, new Envelope
        {
            Id = _ids[slot],
            Type = MessageType.Request,
            Action = action,
            Sender = Sender,
            DeviceId = deviceId,
            Timestamp = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(),
            Payload = payload,
        });

        // Never waits for room: a caller that stops reading because it cannot send is held back by the kernel, and both would wait.
        lock (_link) _link.Put(FrameKind.Request, (ulong)slot, _buffer.WrittenSpan);
    }
}
