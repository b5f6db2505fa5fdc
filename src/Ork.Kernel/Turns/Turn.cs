using System.Buffers;
using System.Text.Json;
using Ork.Protocol;

namespace Ork.Kernel;

/// <summary>What an effect does outside.</summary>
internal enum EffectKind
{
    /// <summary>Sends a frame on a session.</summary>
    Send,

    /// <summary>Ends a session.</summary>
    Close,

    /// <summary>Dials a target.</summary>
    Dial,

    /// <summary>Hands telemetry to the sinks.</summary>
    Telemetry,
}

/// <summary>One effect; its bytes stand in the arena of its batch. A request to a Worker has its <see cref="Ask"/> for a detail.</summary>
internal readonly record struct Effect(EffectKind Kind, long Session, FrameKind Frame, ulong Correlation, int Start, int Length, object? Detail);

/// <summary>Effects in order, with the bytes they carry.</summary>
internal sealed class EffectBatch
{
    // What a burst made larger is given back after it.
    private const int KeptBytes = 4 * 1024 * 1024;

    private ArrayBufferWriter<byte> _arena = new();

    internal List<Effect> Effects { get; } = [];

    /// <summary>The bytes of an effect.</summary>
    internal ReadOnlySpan<byte> BytesOf(in Effect effect) => _arena.WrittenSpan.Slice(effect.Start, effect.Length);

    /// <summary>Sends an envelope on a session; where it is a request to a Worker, only while that is not over.</summary>
    internal void Send(long session, FrameKind kind, ulong correlation, in Envelope envelope, Ask? ask = null)
    {
        var start = _arena.WrittenCount;
        EnvelopeWriter.Write(_arena, in envelope);
        Effects.Add(new Effect(EffectKind.Send, session, kind, correlation, start, _arena.WrittenCount - start, ask));
    }

    internal void Close(long session, Refusal reason) => Effects.Add(new Effect(EffectKind.Close, session, default, 0, 0, 0, reason));

    internal void Dial(DialTarget target) => Effects.Add(new Effect(EffectKind.Dial, 0, default, 0, 0, 0, target));

    internal void Telemetry(string workerId, ReadOnlySpan<byte> payload)
    {
        var start = _arena.WrittenCount;
        _arena.Write(payload);
        Effects.Add(new Effect(EffectKind.Telemetry, 0, default, 0, start, payload.Length, workerId));
    }

    internal void Clear()
    {
        Effects.Clear();
        if (_arena.Capacity > KeptBytes) _arena = new ArrayBufferWriter<byte>();
        else _arena.ResetWrittenCount();
    }
}

/// <summary>
/// One turn: the time it happens at, the records it makes and the effects it has. Modules append; the loop commits, then releases.
/// </summary>
internal sealed class Turn
{
    private readonly List<Command> _touched = [];
    private readonly ArrayBufferWriter<byte> _payload = new();
    private readonly Utf8JsonWriter _json;

    internal Turn() => _json = new Utf8JsonWriter(_payload, new JsonWriterOptions { SkipValidation = true });

    /// <summary>Rises with each turn; entities remember the last turn that recorded them.</summary>
    internal long Number { get; private set; }

    /// <summary>Monotonic kernel milliseconds. All timers count in them.</summary>
    internal long NowMs { get; set; }

    /// <summary>The wall clock, UTC milliseconds. Only stored and shown, and the base of deadlines that outlive the kernel.</summary>
    internal long UtcMs { get; set; }

    /// <summary>Effects that neither reveal nor depend on recorded state: released with the batch that made them.</summary>
    internal EffectBatch AtOnce { get; } = new();

    /// <summary>Effects that wait for the turn's commit.</summary>
    internal EffectBatch AfterCommit { get; } = new();

    /// <summary>The requests among them.</summary>
    internal List<Ask> Leaving { get; } = [];

    /// <summary>What the turn makes durable.</summary>
    internal CommitBatch Records { get; } = new();

    /// <summary>How many records the turn will hold.</summary>
    internal int RecordCount => Records.Count + _touched.Count;

    /// <summary>True while the turn has nothing to commit and nothing to release afterwards.</summary>
    internal bool IsEmpty => RecordCount == 0 && AfterCommit.Effects.Count == 0;

    /// <summary>Makes the turn ready for use under a new number.</summary>
    internal void Begin(long number)
    {
        Number = number;
        AtOnce.Clear();
        AfterCommit.Clear();
        Leaving.Clear();
        Records.Clear();
        _touched.Clear();
    }

    /// <summary>Records that a command changed. How it stands when the turn is sealed is what becomes durable.</summary>
    internal void Touch(Command command)
    {
        if (command.TouchedInTurn == Number) return;
        command.TouchedInTurn = Number;
        _touched.Add(command);
    }

    /// <summary>Takes the picture of every touched command: from here on the turn no longer sees changes.</summary>
    internal void Seal()
    {
        foreach (var command in _touched)
        {
            (command.Stored ? Records.ChangedCommands : Records.NewCommands).Add(command.ToRow());
            command.Stored = true;
        }

        _touched.Clear();
    }

    /// <summary>Builds a payload with the turn's one JSON writer. The bytes are valid until the next call.</summary>
    internal ReadOnlyMemory<byte> Payload<TArg>(TArg arg, Action<Utf8JsonWriter, TArg> write)
    {
        _payload.ResetWrittenCount();
        _json.Reset(_payload);
        write(_json, arg);
        _json.Flush();
        return _payload.WrittenMemory;
    }
}
