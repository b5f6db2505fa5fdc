using System.Diagnostics;
using Ork.Kernel;
using Ork.Protocol;
using Ork.Storage.Sqlite;

namespace Ork.Benchmarks;

/// <summary>What the machine itself can do, measured in the same run.</summary>
internal static class Limits
{
    private static readonly byte[] Params = "{\"pct\":80}"u8.ToArray();

    /// <summary>Milliseconds of an append of one page and its sync, the median of many.</summary>
    internal static double FsyncMs(string directory, int times = 200)
    {
        using var file = File.OpenHandle(Path.Combine(directory, "fsync.bin"), FileMode.Create, FileAccess.Write);
        var page = new byte[4096];
        var took = new double[times];
        for (var i = 0; i < times; i++)
        {
            var began = Stopwatch.GetTimestamp();
            RandomAccess.Write(file, page, (long)i * page.Length);
            RandomAccess.FlushToDisk(file);
            took[i] = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
        }

        Array.Sort(took);
        return took[times / 2];
    }

    /// <summary>Commands in a second that the disk alone could take: the same bytes in the same batches appended and synced, nothing else.</summary>
    internal static double AppendPerSecond(string directory, CommitShape[] shapes)
    {
        using var file = File.OpenHandle(Path.Combine(directory, "append.bin"), FileMode.Create, FileAccess.Write);
        long offset = 0, commands = 0;
        var began = Stopwatch.GetTimestamp();
        foreach (var shape in shapes)
        {
            var bytes = new byte[BytesOf(shape)];
            RandomAccess.Write(file, bytes, offset);
            RandomAccess.FlushToDisk(file);
            offset += bytes.Length;
            commands += shape.New;
        }

        return commands / Stopwatch.GetElapsedTime(began).TotalSeconds;
    }

    /// <summary>Commands in a second that the store alone can take: as many records of each kind in the same batches, no kernel and no sockets.</summary>
    internal static async Task<double> StorePerSecondAsync(string directory, CommitShape[] shapes)
    {
        await using var store = await new SqliteKernelStoreOpener(Path.Combine(directory, "store")).OpenAsync();
        _ = store.TakeImage();
        var rows = new StoreFiller();
        var batches = shapes.Select(shape => rows.Batch(shape)).ToArray();
        var began = Stopwatch.GetTimestamp();
        foreach (var batch in batches) await store.CommitAsync(batch);
        return shapes.Sum(static shape => (long)shape.New) / Stopwatch.GetElapsedTime(began).TotalSeconds;
    }

    /// <summary>Makes a store with commands that a kernel left behind in mid-flow.</summary>
    internal static async Task StrandAsync(string data, WorkerGroup group, int commands)
    {
        const int batchSize = 10_000;
        await using var store = await new SqliteKernelStoreOpener(data).OpenAsync();
        _ = store.TakeImage();
        var rows = new StoreFiller();
        await store.CommitAsync(rows.Fleet(group));
        for (var done = 0; done < commands; done += batchSize) await store.CommitAsync(rows.Stranded(group, done, Math.Min(batchSize, commands - done)));
    }

    /// <summary>Milliseconds to read a file from its beginning to its end.</summary>
    internal static double ReadMs(string path)
    {
        var began = Stopwatch.GetTimestamp();
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var buffer = new byte[1024 * 1024];
        long offset = 0;
        for (int read; (read = RandomAccess.Read(file, buffer, offset)) > 0;) offset += read;
        return Stopwatch.GetElapsedTime(began).TotalMilliseconds;
    }

    // A new command with its order, what changes of one, a line of the log: the bytes of their values.
    private static int BytesOf(CommitShape shape) => (shape.New * 220) + (shape.Changed * 110) + (shape.Log * 60) + (shape.Devices * 60) + (shape.Workers * 900);

    /// <summary>Rows as a kernel writes them.</summary>
    private sealed class StoreFiller
    {
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
            batch.NewCommands.Add(new CommandRow { Seq = _seq, Spec = spec, WorkerId = "bench-00000", State = CommandState.Dispatched, Attempt = 1, Transitions = 2, SentEver = true, UpdatedAt = spec.CreatedAt });
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
}
