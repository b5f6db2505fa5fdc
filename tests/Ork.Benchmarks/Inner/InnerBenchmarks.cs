using System.Buffers;
using BenchmarkDotNet.Attributes;
using Ork.Kernel;
using Ork.Protocol;
using Ork.Storage.Sqlite;

namespace Ork.Benchmarks;

/// <summary>Reading and writing one envelope: every frame of every exchange is one.</summary>
[MemoryDiagnoser]
public class EnvelopeBenchmarks
{
    private readonly ArrayBufferWriter<byte> _output = new(1024);
    private byte[] _bytes = [];
    private Envelope _envelope;

    /// <summary>A telemetry pull as a caller sends it.</summary>
    [GlobalSetup]
    public void SetUp()
    {
        _envelope = new Envelope
        {
            Id = Utf8Text.Plain("0197f9f6-6d3e-7a44-8f21-3b0f6f3cf0aa"),
            Type = MessageType.Request,
            Action = OrkAction.TelemetryPull,
            Sender = Utf8Text.Plain("gateway"),
            DeviceId = Utf8Text.Plain("wm-001-0001"),
            Timestamp = 1_764_000_000_000,
            Payload = """{"query":{"type":"metrics"}}"""u8.ToArray(),
        };
        EnvelopeWriter.Write(_output, in _envelope);
        _bytes = _output.WrittenSpan.ToArray();
    }

    /// <summary>Reads it.</summary>
    [Benchmark]
    public OrkAction Read()
    {
        EnvelopeReader.Read(_bytes, out var envelope);
        return envelope.Action;
    }

    /// <summary>Writes it.</summary>
    [Benchmark]
    public int Write()
    {
        _output.ResetWrittenCount();
        EnvelopeWriter.Write(_output, in _envelope);
        return _output.WrittenCount;
    }
}

/// <summary>A transition of a machine: some ten of them for each command.</summary>
[MemoryDiagnoser]
public class MachineBenchmarks
{
    private readonly ModuleMachine<DeviceLockState, DeviceLockTrigger> _machine = DeviceLockMachine.Build(new SilentObserver(), strict: true);

    /// <summary>Takes a lock and gives it back.</summary>
    [Benchmark(OperationsPerInvoke = 2)]
    public DeviceLockState Fire()
    {
        var state = DeviceLockState.Free;
        _machine.Fire(ref state, DeviceLockTrigger.Acquire, "wm-001-0001");
        _machine.Fire(ref state, DeviceLockTrigger.Release, "wm-001-0001");
        return state;
    }
}

/// <summary>Setting and cancelling a timer among many: two of them for each command.</summary>
[MemoryDiagnoser]
public class TimerWheelBenchmarks
{
    private readonly TimerWheel _wheel = new(0);
    private readonly WheelTimer _timer = new(static _ => { });
    private long _at;

    /// <summary>Timers that are set meanwhile.</summary>
    [Params(1_000, 1_000_000)]
    public int Timers { get; set; }

    /// <summary>Sets the others.</summary>
    [GlobalSetup]
    public void SetUp()
    {
        for (var i = 0; i < Timers; i++) _wheel.Set(new WheelTimer(static _ => { }), 1 + (i * 7L % 900_000));
    }

    /// <summary>Sets one and cancels it.</summary>
    [Benchmark]
    public void SetAndCancel()
    {
        _wheel.Set(_timer, 10_000 + (_at++ & 1023));
        TimerWheel.Cancel(_timer);
    }
}

/// <summary>One commit of the store, synced: the limit under every command.</summary>
[MemoryDiagnoser]
public class StoreBenchmarks
{
    private readonly StoreFiller _rows = new();
    private string _directory = "";
    private IKernelStore? _store;
    private CommitBatch _batch = new();

    /// <summary>Commands that begin, and end, in the commit.</summary>
    [Params(1, 16, 256)]
    public int Commands { get; set; }

    /// <summary>Opens a store.</summary>
    [GlobalSetup]
    public void SetUp()
    {
        _directory = Path.Combine(Path.GetTempPath(), "ork-bench-" + Guid.NewGuid().ToString("n")[..8]);
        _store = new SqliteKernelStoreOpener(_directory).OpenAsync().AsTask().GetAwaiter().GetResult();
        _ = _store.TakeImage();
        Next();
    }

    /// <summary>Makes the next batch.</summary>
    [IterationSetup]
    public void Next() => _batch = _rows.Batch(new CommitShape(0, 0, Commands, Commands, Commands * 4, 0));

    /// <summary>Commits.</summary>
    [Benchmark]
    public Task Commit() => _store!.CommitAsync(_batch).AsTask();

    /// <summary>Closes it.</summary>
    [GlobalCleanup]
    public void CleanUp()
    {
        _store!.DisposeAsync().AsTask().GetAwaiter().GetResult();
        Directory.Delete(_directory, recursive: true);
    }
}
