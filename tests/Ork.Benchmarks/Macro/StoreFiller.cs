using Ork.Kernel;
using Ork.Protocol;

namespace Ork.Benchmarks;

/// <summary>Rows as a kernel writes them.</summary>
internal sealed class StoreFiller
{
    private static readonly byte[] Params = "{\"pct\":80}"u8.ToArray();
    private static readonly byte[] Result = "{\"pct\":80}"u8.ToArray();
    private readonly Queue<long> _open = new();
    private readonly Queue<long> _settled = new();
    private readonly Dictionary<long, (CommandSpec Spec, int Transitions)> _commands = [];
    private long _seq;

    internal CommitBatch Batch(CommitShape shape)
    {
        var batch = new CommitBatch();
        for (var i = 0; i < shape.Changed && _open.Count > 0; i++) Change(batch, _open.Dequeue());
        for (var i = 0; i < shape.New; i++) Add(batch);
        for (var i = 0; i < shape.Forgotten && _settled.Count > 0; i++) batch.ForgottenCommands.Add(_settled.Dequeue());
        var touched = batch.ChangedCommands.Concat(batch.NewCommands).Select(static row => row.Seq).ToArray();
        for (var i = 0; i < shape.Log && touched.Length > 0; i++) Log(batch, touched[i % touched.Length]);
        return batch;
    }

    internal CommitBatch Fleet(WorkerGroup group)
    {
        var batch = new CommitBatch();
        var capability = "{\"metadata\":{\"deviceFamily\":\"miner\"},\"capabilities\":{\"commands\":[]}}"u8.ToArray();
        for (var worker = 0; worker < group.Workers; worker++)
        {
            batch.Workers.Add(new WorkerRow(group.WorkerId(worker), $"uid:{worker}", group.Endpoint, IdentityPayload.JournalFeature, capability, false));
            for (var device = 0; device < group.Devices; device++) batch.Devices.Add(new DeviceRow(group.DeviceId(worker, device), group.WorkerId(worker), "{}"u8.ToArray()));
        }

        return batch;
    }

    internal CommitBatch Stranded(WorkerGroup group, int from, int count)
    {
        var batch = new CommitBatch();
        for (var i = from; i < from + count; i++)
        {
            var worker = i % group.Workers;
            var spec = Spec(++_seq, group.DeviceId(worker, i / group.Workers % group.Devices));
            batch.NewCommands.Add(new CommandRow
            {
                Seq = _seq,
                Spec = spec,
                WorkerId = group.WorkerId(worker),
                State = CommandState.Executing,
                Attempt = 1,
                Transitions = 3,
                SentEver = true,
                DoubtfulFrom = 1,
                UpdatedAt = spec.CreatedAt,
            });
            for (var number = 1; number <= 3; number++) batch.Log.Add(new TransitionRow(_seq, number, CommandState.Queued, CommandState.Dispatched, spec.CreatedAt, 1, ""));
        }

        return batch;
    }

    private void Add(CommitBatch batch)
    {
        var spec = Spec(++_seq, $"bench-00000-{_seq % 100:d3}");
        _commands[_seq] = (spec, 0);
        _open.Enqueue(_seq);
        batch.NewCommands.Add(new CommandRow { Seq = _seq, Spec = spec, WorkerId = "bench-00000", State = CommandState.Dispatched, Attempt = 1, Transitions = 2, SentEver = true, DoubtfulFrom = 1, UpdatedAt = spec.CreatedAt });
    }

    private void Change(CommitBatch batch, long seq)
    {
        var spec = _commands[seq].Spec;
        _settled.Enqueue(seq);
        batch.ChangedCommands.Add(new CommandRow
        {
            Seq = seq,
            Spec = spec,
            WorkerId = "bench-00000",
            State = CommandState.Success,
            Attempt = 1,
            Transitions = 3,
            SentEver = true,
            DoubtfulFrom = 1,
            Result = Result,
            UpdatedAt = spec.CreatedAt + 5,
        });
    }

    private void Log(CommitBatch batch, long seq)
    {
        var (spec, transitions) = _commands[seq];
        _commands[seq] = (spec, ++transitions);
        batch.Log.Add(new TransitionRow(seq, transitions, CommandState.Queued, CommandState.Dispatched, spec.CreatedAt, 1, ""));
    }

    private static CommandSpec Spec(long seq, string deviceId)
    {
        var now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        return new CommandSpec
        {
            CommandId = $"01jbench{seq:d18}",
            Command = Answerer.Command,
            Scope = CommandScope.Device,
            DeviceId = deviceId,
            Params = Params,
            Caller = "uid:0",
            Idempotent = true,
            TimeoutMs = 5_000,
            CreatedAt = now,
            DeadlineAt = now + 900_000,
        };
    }
}
