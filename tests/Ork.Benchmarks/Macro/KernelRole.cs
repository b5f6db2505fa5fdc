using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Ork.Kernel;
using Ork.Protocol;
using Ork.Storage.Sqlite;
using Ork.Transport;

namespace Ork.Benchmarks;

/// <summary>How a kernel process is set up.</summary>
/// <param name="Data">Its data directory.</param>
/// <param name="Callers">Where callers connect.</param>
/// <param name="Workers">Where Workers connect.</param>
/// <param name="Options">Its options.</param>
internal sealed record KernelSetup(string Data, string[] Callers, string[] Workers, KernelOptions Options);

/// <summary>What one commit wrote, by kind of record.</summary>
internal readonly record struct CommitShape(int Workers, int Devices, int New, int Changed, int Log, int Forgotten);

/// <summary>What a process has used since it began.</summary>
internal sealed record ProcessUse(long AllocatedBytes, double CpuMs, long WorkingSetBytes, int Commits);

/// <summary>The process of the kernel: the production kernel, store, network and observer, with a count of what it commits.</summary>
internal sealed class KernelRole
{
    private readonly List<CommitShape> _shapes = [];
    private readonly OrkKernel _kernel;

    internal KernelRole(KernelSetup setup)
    {
        Directory.CreateDirectory(setup.Data);
        _kernel = new OrkKernel(setup.Options, new KernelPorts
        {
            Store = new CountingOpener(new SqliteKernelStoreOpener(setup.Data), _shapes),
            Network = new SocketNetwork(new SocketNetworkOptions
            {
                Identity = LinkIdentity.LoadOrCreate(Path.Combine(setup.Data, "kernel.key")),
                Workers = new KeyAllowlist([], allowAny: true),
                MaxHandshakes = setup.Options.Links.MaxHandshakes,
                HandshakeTimeoutMs = setup.Options.Links.HandshakeTimeoutMs,
            }),
            Entropy = new SystemEntropy(),
            Time = TimeProvider.System,
            Observer = new KernelObserver(NullLogger.Instance, TimeProvider.System),
            CallerEndpoints = [.. setup.Callers.Select(text => LinkEndpoint.TryParse(text)!)],
            WorkerEndpoints = [.. setup.Workers.Select(text => LinkEndpoint.TryParse(text)!)],
        });
    }

    /// <summary>Starts it.</summary>
    /// <returns>The endpoints it listens on, callers' first.</returns>
    internal async Task<string[]> StartAsync()
    {
        _ = RunAsync();
        return [.. (await _kernel.Started).Select(endpoint => endpoint.ToString())];
    }

    /// <summary>The commits from one on.</summary>
    internal CommitShape[] ShapesFrom(int first)
    {
        lock (_shapes) return [.. _shapes.Skip(first)];
    }

    internal ProcessUse Use()
    {
        using var process = Process.GetCurrentProcess();
        lock (_shapes) return new ProcessUse(GC.GetTotalAllocatedBytes(), process.TotalProcessorTime.TotalMilliseconds, process.WorkingSet64, _shapes.Count);
    }

    private async Task RunAsync()
    {
        try
        {
            await _kernel.RunAsync();
        }
        catch (Exception e)
        {
            Console.Error.WriteLine(e);
            Environment.Exit(1);
        }
    }

    private sealed class CountingOpener(IKernelStoreOpener inner, List<CommitShape> shapes) : IKernelStoreOpener
    {
        public async ValueTask<IKernelStore> OpenAsync() => new CountingStore(await inner.OpenAsync(), shapes);
    }

    private sealed class CountingStore(IKernelStore inner, List<CommitShape> shapes) : IKernelStore
    {
        public KernelImage TakeImage() => inner.TakeImage();

        public ValueTask CommitAsync(CommitBatch batch)
        {
            lock (shapes)
            {
                shapes.Add(new CommitShape(
                    batch.Workers.Count, batch.Devices.Count + batch.RemovedDevices.Count, batch.NewCommands.Count, batch.ChangedCommands.Count, batch.Log.Count,
                    batch.ForgottenCommands.Count));
            }

            return inner.CommitAsync(batch);
        }

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
