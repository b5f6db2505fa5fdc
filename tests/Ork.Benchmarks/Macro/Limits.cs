using System.Diagnostics;
using Ork.Kernel;
using Ork.Protocol;
using Ork.Storage.Sqlite;
using Ork.Transport;

namespace Ork.Benchmarks;

/// <summary>What the machine itself can do, measured in the same run.</summary>
internal static class Limits
{
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

    /// <summary>Milliseconds to open a store and read all that is in it: what no kernel on it can do without.</summary>
    internal static async Task<double> OpenMsAsync(string data)
    {
        var began = Stopwatch.GetTimestamp();
        await using var store = await new SqliteKernelStoreOpener(data).OpenAsync();
        _ = store.TakeImage();
        return Stopwatch.GetElapsedTime(began).TotalMilliseconds;
    }

    /// <summary>Milliseconds for so many TLS handshakes over loopback, both sides in this process, with the keys and the checks that links have.</summary>
    internal static async Task<double> HandshakesMsAsync(int count)
    {
        const int warmUp = 50;
        var anybody = new KeyAllowlist([], allowAny: true);
        var server = new SocketNetwork(new SocketNetworkOptions { Identity = LinkIdentity.Ephemeral(), Workers = anybody });
        var client = new SocketNetwork(new SocketNetworkOptions { Identity = LinkIdentity.Ephemeral(), Kernels = anybody });
        var listener = server.Listen(LinkEndpoint.Tcp("127.0.0.1", 0), Audience.Workers);
        var accepted = AcceptAsync(listener, warmUp + count);
        var made = new List<IConnection>(await ConnectAsync(client, listener.Endpoint, warmUp));
        var began = Stopwatch.GetTimestamp();
        made.AddRange(await ConnectAsync(client, listener.Endpoint, count));
        made.AddRange(await accepted);
        var ms = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
        foreach (var connection in made) connection.Close(null);
        listener.Close();
        return ms;
    }

    private static async Task<List<IConnection>> AcceptAsync(IListener listener, int count)
    {
        var accepted = new List<IConnection>();
        while (accepted.Count < count) accepted.Add((await listener.AcceptAsync())!);
        return accepted;
    }

    /// <summary>Connects so often, a kernel's number of handshakes at once.</summary>
    private static async Task<IConnection[]> ConnectAsync(SocketNetwork network, LinkEndpoint endpoint, int count)
    {
        using var places = new SemaphoreSlim(new LinkOptions().MaxHandshakes);
        return await Task.WhenAll(Enumerable.Range(0, count).Select(async _ =>
        {
            await places.WaitAsync();
            try
            {
                return await network.ConnectAsync(endpoint, null, CancellationToken.None);
            }
            finally
            {
                places.Release();
            }
        }));
    }

    // A new command with its order, what changes of one, a line of the log: the bytes of their values.
    private static int BytesOf(CommitShape shape) => (shape.New * 220) + (shape.Changed * 110) + (shape.Log * 60) + (shape.Devices * 60) + (shape.Workers * 900);
}
