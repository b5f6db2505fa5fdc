using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;
using Ork.Kernel;
using Ork.Protocol;
using Ork.Storage.Sqlite;
using Ork.Transport;

namespace Ork.Cli.Hosting;

/// <summary>A kernel with everything real, until it is told to stop.</summary>
internal static class KernelProcess
{
    /// <summary>The name of the key file in the data directory.</summary>
    internal const string KeyFile = "kernel.key";

    /// <summary>Runs a kernel; SIGTERM, Ctrl-C and the end of its terminal drain it.</summary>
    /// <returns>The exit code.</returns>
    internal static async Task<int> RunAsync(KernelConfig config, Output output)
    {
        KernelSockets.GoOnAtOnce();
        using var logs = Logs.Create(config.Log);
        using var observer = new KernelObserver(logs.CreateLogger("ork"), TimeProvider.System);
        using var sink = new MeterTelemetrySink();
        using var export = Export(config.Otlp);
        try
        {
            using var identity = LinkIdentity.LoadOrCreate(Path.Combine(config.Data, KeyFile));
            var log = logs.CreateLogger("ork");
            var room = RoomFor(config.Kernel, log);
            var kernel = new OrkKernel(config.Kernel, Ports(config, identity, room, log, observer, sink));
            using var manager = ServiceManager.Find(Environment.GetEnvironmentVariable, TimeProvider.System, log);
            using var signals = new StopSignals(Stop);
            ParentWatch.Start(Stop);
            await RunAsync(kernel, manager);
            return ExitCode.Done;

            void Stop()
            {
                manager?.Stopping();
                kernel.Stop();
            }
        }
        catch (StoreException e)
        {
            return output.Fail(e.Refusal, e.Message);
        }
        catch (LinkException e)
        {
            return output.Fail(e.Refusal, e.Message);
        }
    }

    private static async Task RunAsync(OrkKernel kernel, ServiceManager? manager)
    {
        using var over = new CancellationTokenSource();
        var watching = manager?.WatchAsync(ServesAsync(kernel), kernel.NextTurnAsync, over.Token) ?? Task.CompletedTask;
        try
        {
            await kernel.RunAsync();
        }
        finally
        {
            await over.CancelAsync();
            await watching;
        }
    }

    private static async Task<string> ServesAsync(OrkKernel kernel) => $"Serves on {string.Join(", ", await kernel.Started)}";

    /// <summary>What the process's limit of open files leaves for links. A kernel that runs out of them ends, and all of a site with it.</summary>
    /// <exception cref="LinkException">It leaves next to nothing.</exception>
    private static SocketRoom RoomFor(KernelOptions options, ILogger log)
    {
        var room = SocketRoom.OfThisProcess();
        if (room.Files < SocketRoom.LeastFiles)
        {
            throw new LinkException(Refusal.With(
                ErrorCodes.ConfigInvalid, $"the system lets this process have {room.Files} open files and a kernel needs {SocketRoom.LeastFiles}, and one more for each link: raise 'ulimit -n', or LimitNOFILE in its unit"));
        }

        if (room.MaxOthers < options.Links.MaxWorkers || room.MaxCallers < options.Links.MaxCallers)
        {
            log.LogInformation(
                "The system lets this process have {Files} open files: room for the links of {Workers} Workers (kernel.links.maxWorkers is {MaxWorkers}) and {Callers} callers (kernel.links.maxCallers is {MaxCallers}). For more raise 'ulimit -n', or LimitNOFILE in its unit",
                room.Files, room.MaxOthers, options.Links.MaxWorkers, room.MaxCallers, options.Links.MaxCallers);
        }

        return room;
    }

    private static KernelPorts Ports(KernelConfig config, LinkIdentity identity, SocketRoom room, ILogger log, IKernelObserver observer, ITelemetrySink sink) => new()
    {
        Store = new SqliteKernelStoreOpener(config.Data, config.FullStoreCheck),
        Network = new SocketNetwork(new SocketNetworkOptions
        {
            Identity = identity,
            Callers = config.Allowlist(config.AllowCallers, config.AllowCallersFiles, log),
            Workers = config.Allowlist(config.AllowWorkers, config.AllowWorkersFiles, log),
            Insecure = config.Insecure,
            MaxFrameBytes = config.MaxFrameBytes,
            MaxHandshakes = config.Kernel.Links.MaxHandshakes,
            PatienceMs = config.Kernel.Links.PatienceMs,
            HandshakeTimeoutMs = config.Kernel.Links.HandshakeTimeoutMs,
            Room = room,
            Refused = (address, reason) => observer.Note(KernelEvent.HandshakeFailed, address, reason.Text),
        }),
        Entropy = new SystemEntropy(),
        Time = TimeProvider.System,
        Observer = observer,
        Sinks = [sink],
        CallerEndpoints = [.. config.Listen.Select(text => LinkEndpoint.TryParse(text)!)],
        WorkerEndpoints = [.. config.WorkersListen.Select(text => LinkEndpoint.TryParse(text)!)],
        Discovery = config.Discovery is { Static.Count: 0, Directory: null } ? null : new ConfiguredDiscovery(config.Discovery, log),
    };

    private static Exporters? Export(string? otlp)
    {
        if (otlp is null) return null;
        var endpoint = new Uri(otlp);
        return new Exporters(
            Sdk.CreateMeterProviderBuilder().AddMeter(KernelObserver.Source).AddOtlpExporter(options => options.Endpoint = endpoint).Build(),
            Sdk.CreateTracerProviderBuilder().AddSource(KernelObserver.Source).AddOtlpExporter(options => options.Endpoint = endpoint).Build());
    }

    private sealed class Exporters(MeterProvider metrics, TracerProvider traces) : IDisposable
    {
        public void Dispose()
        {
            metrics.Dispose();
            traces.Dispose();
        }
    }
}

/// <summary>Log factories; lines go to standard error, so that standard output stays for results.</summary>
internal static class Logs
{
    private const string Timestamp = "yyyy-MM-ddTHH:mm:ss.fffZ";

    internal static ILoggerFactory Create(LogConfig config) => LoggerFactory.Create(builder =>
    {
        builder.SetMinimumLevel(config.Level);
        if (config.Json) builder.AddJsonConsole(options => (options.UseUtcTimestamp, options.TimestampFormat) = (true, Timestamp));
        else
        {
            builder.AddSimpleConsole(options =>
            {
                options.SingleLine = true;
                options.UseUtcTimestamp = true;
                options.TimestampFormat = Timestamp + " ";
            });
        }

        // Whoever reads the log may stall: that costs lines, which are counted, and never the turn that writes them.
        builder.AddConsole(options => (options.LogToStandardErrorThreshold, options.QueueFullMode) = (LogLevel.Trace, ConsoleLoggerQueueFullMode.DropWrite));
    });
}
