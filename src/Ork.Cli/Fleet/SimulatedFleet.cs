using Microsoft.Extensions.Logging;
using Ork.Protocol;
using Ork.Transport;
using Ork.Worker;

namespace Ork.Cli.Fleet;

/// <summary>Many simulated Workers in one process, with one journal and one execution log between them.</summary>
internal sealed class SimulatedFleet
{
    private static readonly object Contract = new
    {
        metadata = new
        {
            provider = "ork",
            deviceFamily = "miner",
            brand = "Simulated",
            modelsSupported = new[] { "S-1" },
            overview = "A simulated ASIC miner.",
        },
        capabilities = new
        {
            telemetry = new[] { "metrics", "list", "count", "stats", "settings" },
            commands = new object[]
            {
                new { name = "reboot", description = "Restart the device.", timeoutMs = 10_000, @params = Array.Empty<object>() },
                new
                {
                    name = "set-power-mode",
                    description = "Choose a power profile.",
                    idempotent = true,
                    timeoutMs = 5_000,
                    @params = new[] { new { name = "mode", type = "string", required = true, @enum = new[] { "low", "normal", "high", "sleep" } } },
                },
                new
                {
                    name = "set-power-pct",
                    description = "Scale power, in percent of the profile.",
                    idempotent = true,
                    timeoutMs = 5_000,
                    @params = new[] { new { name = "pct", type = "number", required = true, min = 10, max = 110 } },
                },
                new
                {
                    name = "set-led",
                    description = "Switch the locating light.",
                    idempotent = true,
                    timeoutMs = 5_000,
                    @params = new[] { new { name = "on", type = "boolean", required = true } },
                },
            },
            health = new { },
            errors = new { },
        },
    };

    private readonly WorkerContract _contract = WorkerDefinition.ContractOf(Contract);
    private readonly List<OrkWorker> _workers = [];

    /// <summary>Makes a fleet.</summary>
    internal SimulatedFleet(FleetPlan plan, LinkEndpoint endpoint, string? kernelKey, INetwork network, ICommandJournal journal, ExecutionLog log, ILogger logger)
    {
        var ports = new WorkerPorts
        {
            Network = network,
            Entropy = new SystemEntropy(),
            Time = TimeProvider.System,
            Journal = journal,
            StartHandler = ThreadPoolHandlers.Start,
            Log = logger,
        };
        for (var number = 1; number <= plan.Workers; number++)
        {
            var options = new WorkerOptions { Announce = endpoint, KernelKey = kernelKey };
            _workers.Add(new OrkWorker(Define(plan, number, log), options, ports));
        }
    }

    /// <summary>How many Workers have a link.</summary>
    internal int Linked => _workers.Count(worker => worker.IsLinked);

    /// <summary>Runs all Workers until cancelled.</summary>
    internal Task RunAsync(CancellationToken cancellation) => Task.WhenAll(_workers.Select(worker => worker.RunAsync(cancellation)).ToArray());

    private WorkerDefinition Define(FleetPlan plan, int number, ExecutionLog log)
    {
        var pace = new FleetPace(plan.LatencyMs);
        var hang = number > plan.Workers - plan.Hanging ? new HangSwitch(plan.HangFile!) : null;
        var miners = Enumerable.Range(1, plan.DevicesPerWorker).Select(device => new SimulatedMiner(plan.DeviceId(number, device), log, pace, hang))
            .ToDictionary(miner => miner.DeviceId, StringComparer.Ordinal);
        var definition = new WorkerDefinition(plan.WorkerId(number), _contract, [.. miners.Keys]);
        foreach (var command in _contract.Commands.Keys) definition.OnCommand(command, (call, cancellation) => ExecuteAsync(miners, call, cancellation));
        definition.OnState(async (deviceId, cancellation) =>
        {
            if (hang is not null) await hang.PassAsync(cancellation);
            return miners.TryGetValue(deviceId, out var miner) ? miner.State() : new { };
        });
        definition.OnTelemetry("metrics", (call, _) => new(Each(miners, call, miner => miner.Metrics())));
        definition.OnTelemetry("stats", (call, _) => new(Each(miners, call, miner => miner.Metrics())));
        definition.OnTelemetry("settings", (call, _) => new(Each(miners, call, miner => miner.State())));
        definition.OnTelemetry("list", (_, _) => new(new { things = miners.Keys }));
        definition.OnTelemetry("count", (_, _) => new(new { count = miners.Count }));
        return definition;
    }

    private static object Each(Dictionary<string, SimulatedMiner> miners, TelemetryCall call, Func<SimulatedMiner, object> read) =>
        call.DeviceId is { } deviceId
            ? new { deviceId, metrics = read(miners[deviceId]) }
            : new { devices = miners.ToDictionary(pair => pair.Key, pair => read(pair.Value)) };

    private static async ValueTask<CommandReply> ExecuteAsync(Dictionary<string, SimulatedMiner> miners, CommandCall call, CancellationToken cancellation)
    {
        var results = new List<object>();
        foreach (var deviceId in call.DeviceIds)
        {
            if (!miners.TryGetValue(deviceId, out var miner)) return CommandReply.Failure($"ERR_DEVICE_NOT_FOUND: {deviceId}");
            results.Add(await miner.ExecuteAsync(call, cancellation));
        }

        return CommandReply.Success(results.Count == 1 ? results[0] : new { devices = results });
    }
}

/// <summary>How large a simulated fleet is and what it is called.</summary>
/// <param name="Workers">How many Workers.</param>
/// <param name="DevicesPerWorker">Devices of each.</param>
/// <param name="Prefix">What Worker ids begin with.</param>
/// <param name="LatencyMs">Milliseconds a quick command takes.</param>
/// <param name="Hanging">How many Workers, the last ones, hang while <paramref name="HangFile"/> exists.</param>
/// <param name="HangFile">The file.</param>
internal sealed record FleetPlan(int Workers, int DevicesPerWorker, string Prefix = "sim", double LatencyMs = 5, int Hanging = 0, string? HangFile = null)
{
    internal string WorkerId(int number) => $"{Prefix}-{number:d3}";

    internal string DeviceId(int worker, int device) => $"{(Prefix == "sim" ? "wm" : Prefix)}-{worker:d3}-{device:d4}";
}
