using Ork.Worker;

namespace __NAME__;

/// <summary>What the Worker does for its devices. Replace the dictionary by what talks to them.</summary>
public sealed class Driver(TimeProvider time)
{
    private readonly Dictionary<string, double> _percents = new(StringComparer.Ordinal);

    /// <summary>Defines the Worker: one handler for each command and telemetry query of the contract.</summary>
    public WorkerDefinition Define(string workerId, IReadOnlyList<string> deviceIds) =>
        new WorkerDefinition(workerId, WorkerDefinition.ContractFromFile(Path.Combine(AppContext.BaseDirectory, "contract.json")), deviceIds)
            .OnCommand("reboot", RebootAsync)
            .OnCommand("set-power", SetPowerAsync)
            .OnTelemetry("metrics", (call, _) => ValueTask.FromResult<object>(new { call.DeviceId, percent = PercentOf(call.DeviceId ?? deviceIds[0]) }))
            .OnState((deviceId, _) => ValueTask.FromResult<object>(new { percent = PercentOf(deviceId) }));

    private async ValueTask<CommandReply> RebootAsync(CommandCall call, CancellationToken cancellation)
    {
        // Stands for the time the device takes.
        await Task.Delay(TimeSpan.FromMilliseconds(200), time, cancellation);
        foreach (var deviceId in call.DeviceIds) _percents.Remove(deviceId);
        return CommandReply.Success();
    }

    private async ValueTask<CommandReply> SetPowerAsync(CommandCall call, CancellationToken cancellation)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(20), time, cancellation);
        var percent = call.Params.GetProperty("percent").GetDouble();
        foreach (var deviceId in call.DeviceIds) _percents[deviceId] = percent;
        return CommandReply.Success(new { percent });
    }

    private double PercentOf(string deviceId) => _percents.GetValueOrDefault(deviceId, 100);
}
