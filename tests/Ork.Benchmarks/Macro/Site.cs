using System.Net.Sockets;
using Ork.Client;
using Ork.Kernel;
using Ork.Protocol;
using Ork.Transport;

namespace Ork.Benchmarks;

/// <summary>A kernel and its Workers, each a process, and the links to them.</summary>
internal sealed class Site : IDisposable
{
    private readonly KernelOptions _options;
    private readonly List<Child> _others = [];
    private Child? _kernel;

    internal Site(string directory, KernelOptions? options = null, bool secure = false)
    {
        Directory = directory;
        _options = options ?? new KernelOptions();
        WorkersEndpoints = secure ? [UnixOf("workers"), $"tcp://127.0.0.1:0"] : [UnixOf("workers")];
        System.IO.Directory.CreateDirectory(directory);
    }

    internal string Directory { get; }

    internal string Data => Path.Combine(Directory, "data");

    internal string CallersPath => Path.Combine(Directory, "callers.sock");

    /// <summary>Where Workers connect; ports are known once the kernel has started.</summary>
    internal string[] WorkersEndpoints { get; private set; }

    internal Child Kernel => _kernel!;

    internal string UnixOf(string name) => $"unix:{Path.Combine(Directory, name)}.sock";

    internal void StartKernel()
    {
        _kernel = Child.Start("kernel", new KernelSetup(Data, [UnixOf("callers")], WorkersEndpoints, _options), out var endpoints);

        // The same port after a restart: those who connect again know no other.
        WorkersEndpoints = endpoints[1..];
    }

    internal void KillKernel() => _kernel?.Dispose();

    internal void StartWorkers(params WorkerGroup[] groups) => _others.Add(Child.Start("workers", groups, out _));

    internal void KillWorkers()
    {
        foreach (var other in _others) other.Dispose();
        _others.Clear();
    }

    internal FrameSocket Connect() => FrameSocket.Greet(CallersPath, new Greeting(Greeting.Caller, Name: "load"));

    internal ProcessUse Use() => Kernel.Ask<ProcessUse>("use");

    internal CommitShape[] ShapesFrom(int first) => Kernel.Ask<CommitShape[]>($"shapes {first}");

    /// <summary>Waits until so many Workers are ready and healthy.</summary>
    internal async Task ReadyAsync(int workers, string prefix, TimeSpan patience)
    {
        await using var client = Client();
        var end = DateTime.UtcNow + patience;
        while (true)
        {
            var fleet = await client.WorkersAsync();
            var ready = fleet.Workers.Count(worker => worker.WorkerId.StartsWith(prefix, StringComparison.Ordinal) && worker.State == "Ready" && worker.Health == "Healthy" && worker.Linked);
            if (ready >= workers) return;
            if (DateTime.UtcNow > end) throw new TimeoutException($"After {patience.TotalSeconds} s {ready} of {workers} Workers were ready.");
            await Task.Delay(workers > 2_000 ? 500 : 50);
        }
    }

    /// <summary>Waits until a kernel answers, as a caller sees it.</summary>
    internal void UntilServing()
    {
        while (true)
        {
            try
            {
                using var link = Connect();
                return;
            }
            catch (Exception e) when (e is SocketException or IOException)
            {
                Thread.Sleep(2);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        KillKernel();
        KillWorkers();
        System.IO.Directory.Delete(Directory, recursive: true);
    }

    private OrkClient Client() => new(
        new ClientOptions { Endpoint = LinkEndpoint.TryParse(UnixOf("callers"))!, Name = "bench", TimeoutMs = 60_000 },
        new ClientPorts { Network = new SocketNetwork(new SocketNetworkOptions()), Entropy = new SystemEntropy(), Time = TimeProvider.System });
}
