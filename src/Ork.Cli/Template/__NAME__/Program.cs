using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Ork;
using Ork.Protocol;
using Ork.Transport;
using Ork.Worker;

namespace __NAME__;

/// <summary>Puts the real network, clock and journal together. Of role Edge: the only place here that may touch them.</summary>
[OrkRole(OrkRole.Edge)]
internal static class Program
{
    private static readonly string Data = Environment.GetEnvironmentVariable("ORK_DATA") is { Length: > 0 } given
        ? given : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local", "state", "ork");

    private static async Task<int> Main(string[] args)
    {
        var text = args.Length > 0 ? args[0] : $"unix:{Path.Combine(Data, "workers.sock")}";
        if (args.Length > 1 || LinkEndpoint.TryParse(text) is not { } kernel)
        {
            Console.Error.WriteLine("usage: __NAME__ [ENDPOINT]    the kernel's endpoint for Workers, unix:/path or tcp://host:port; default unix:~/.local/state/ork/workers.sock");
            return 2;
        }

        using var logs = LoggerFactory.Create(builder => builder
            .AddSimpleConsole(options => options.SingleLine = true)
            .AddConsole(options => options.QueueFullMode = ConsoleLoggerQueueFullMode.DropWrite));
        using var stop = new CancellationTokenSource();
        using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var identity = kernel.IsUnix ? null : LinkIdentity.LoadOrCreate(Path.Combine(Data, "__ID__.key"));
        await using var journal = SqliteCommandJournal.Open(Path.Combine(Data, "__ID__.db"));
        var ports = new WorkerPorts
        {
            Network = new SocketNetwork(new SocketNetworkOptions { Identity = identity, Kernels = KeyAllowlist.Anybody }),
            Entropy = new SystemEntropy(),
            Time = TimeProvider.System,
            Journal = journal,
            StartHandler = ThreadPoolHandlers.Start,
            Log = logs.CreateLogger("__ID__"),
        };
        var definition = new Driver(TimeProvider.System).Define("__ID__-1", ["__ID__-1-a", "__ID__-1-b"]);
        Console.WriteLine($"{definition.WorkerId} announces itself to {kernel}. Ctrl-C ends it, when it has finished what it has begun.");
        await new OrkWorker(definition, new WorkerOptions { Announce = kernel }, ports).RunAsync(stop.Token);
        return 0;

        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stop.Cancel();
        }
    }
}
