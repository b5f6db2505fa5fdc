using Ork.Client;
using Ork.Kernel;
using Ork.Protocol;
using Ork.Worker;
using OrkSim;

namespace Ork.Coyote.Tests;

/// <summary>A whole kernel, a Worker and a client over the models of the ports, with time that races.</summary>
internal sealed class Shell
{
    internal static readonly LinkEndpoint Callers = LinkEndpoint.Unix("/callers");
    internal static readonly LinkEndpoint Workers = LinkEndpoint.Unix("/workers");

    private static readonly WorkerContract Contract = WorkerDefinition.ContractOf(new
    {
        metadata = new { provider = "test" },
        capabilities = new { commands = new object[] { new { name = "reboot", idempotent = false }, new { name = "set-led", idempotent = true } } },
    });

    private readonly Task _clock;
    private readonly CancellationTokenSource _workers = new();
    private readonly List<Task> _running = [];
    private int _executions;

    internal Shell()
    {
        Time = new RacingTime();
        _clock = Task.Run(() => Time.RunAsync(most: 5_000));
        Kernel = NewKernel();
    }

    internal RacingTime Time { get; }

    internal MemoryNetwork Network { get; } = new();

    internal ModelDisk Disk { get; } = new();

    internal OrkKernel Kernel { get; }

    internal Task Running { get; private set; } = Task.CompletedTask;

    /// <summary>How often a device acted.</summary>
    internal int Executions => Volatile.Read(ref _executions);

    internal async Task StartKernelAsync()
    {
        Running = Task.Run(Kernel.RunAsync);
        await Kernel.Started;
    }

    internal void StartWorker()
    {
        var definition = new WorkerDefinition("w1", Contract, ["d1"]).OnCommand("reboot", ActAsync).OnCommand("set-led", ActAsync);
        var worker = new OrkWorker(definition, new WorkerOptions { Announce = Workers, SilentLinkMs = 100_000_000 }, new WorkerPorts
        {
            Network = Network.As("w1"),
            Entropy = new SimEntropy(7),
            Time = Time,
            Journal = new MemoryCommandJournal(),
        });
        _running.Add(Task.Run(() => worker.RunAsync(_workers.Token)));
    }

    internal OrkClient NewClient() => new(
        new ClientOptions { Endpoint = Callers, TimeoutMs = 100_000_000 },
        new ClientPorts { Network = Network.As("caller"), Entropy = new SimEntropy(3), Time = Time });

    /// <summary>Sends until the kernel has taken it, whatever it has to say meanwhile.</summary>
    internal static async Task<CommandReceipt> SendAsync(OrkClient client, CommandOrder order)
    {
        while (true)
        {
            try
            {
                return await client.SendAsync(order);
            }
            catch (OrkRefusedException)
            {
                await Task.Delay(1);
            }
        }
    }

    /// <summary>Ends everything: the kernel by its own stop.</summary>
    internal async Task EndAsync()
    {
        Kernel.Stop();
        await Running;
        _workers.Cancel();
        await Task.WhenAll(_running.ToArray());
        Time.Stop();
        await _clock;
    }

    private async ValueTask<CommandReply> ActAsync(CommandCall call, CancellationToken cancellation)
    {
        await Task.Yield();
        Interlocked.Increment(ref _executions);
        return CommandReply.Success();
    }

    private OrkKernel NewKernel()
    {
        const long never = 100_000_000;
        return new OrkKernel(
            new KernelOptions
            {
                StrictMachines = true,
                Loop = new LoopOptions { DrainMs = 1_000 },
                Commands = new CommandOptions { AttemptTimeoutMs = never, DefaultDeadlineMs = 10 * never },
                Links = new LinkOptions { HandshakeTimeoutMs = never, RegistrationTimeoutMs = never, DiscoveryIntervalMs = never },
                Schedule = new ScheduleOptions { HealthIntervalMs = never, StateIntervalMs = never, TelemetryIntervalMs = never },
                Health = new HealthOptions { PingTimeoutMs = never },
            },
            new KernelPorts
            {
                Store = Disk,
                Network = Network.As("kernel"),
                Entropy = new SimEntropy(5),
                Time = Time,
                Observer = new SilentObserver(),
                CallerEndpoints = [Callers],
                WorkerEndpoints = [Workers],
            });
    }
}
