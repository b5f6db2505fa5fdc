using Ork.Protocol;

namespace Ork.Client;

/// <summary>One command for many devices.</summary>
public sealed record FleetOrder
{
    /// <summary>The command's name in the contracts.</summary>
    public required string Command { get; init; }

    /// <summary>Names this order: repeating it finds the commands it made before and makes only those it did not, one per device.</summary>
    public required string Key { get; init; }

    /// <summary>The devices, as <see cref="OrkClient.FindDevicesAsync"/> finds them.</summary>
    public required IReadOnlyList<string> DeviceIds { get; init; }

    /// <summary>The parameters; anything that serialises to a JSON object.</summary>
    public object? Params { get; init; }

    /// <summary>Whether it goes ahead of others in line at its devices.</summary>
    public CommandPriority Priority { get; init; }

    /// <summary>Milliseconds from acceptance within which each device's command must have been sent.</summary>
    public long? DeadlineMs { get; init; }

    /// <summary>Milliseconds to go on asking a kernel that has no room for a device's command, or a Worker that cannot be reached.</summary>
    public long PatienceMs { get; init; } = 60_000;

    /// <summary>Devices under way at once.</summary>
    public int InFlight { get; init; } = 512;
}

/// <summary>What became of one device's command.</summary>
/// <param name="DeviceId">The device.</param>
/// <param name="CommandId">The command, or null where none was accepted.</param>
/// <param name="Status">
/// SUCCESS or FAILED; REJECTED where the kernel refused it; UNKNOWN where no kernel said whether it was accepted, or how it ended: to be asked again with the same key.
/// </param>
/// <param name="Error">Why not SUCCESS, or null.</param>
/// <param name="Outcome">What is known of the device where it did not succeed.</param>
public sealed record DeviceOutcome(string DeviceId, string? CommandId, CommandStatus Status, string? Error, CommandOutcome Outcome);

/// <summary>A fleet order under way. Its counts may be read from anywhere while it runs.</summary>
public sealed class FleetRun
{
    private const long RetryMs = 200;
    private const long RetryCapMs = 5_000;

    private readonly DeviceOutcome?[] _outcomes;
    private readonly FleetOrder _order;
    private int _next = -1;
    private int _accepted;
    private int _succeeded;
    private int _failed;
    private int _refused;

    internal FleetRun(FleetOrder order)
    {
        _order = order;
        _outcomes = new DeviceOutcome?[order.DeviceIds.Count];
    }

    /// <summary>Devices in all.</summary>
    public int Devices => _outcomes.Length;

    /// <summary>Devices whose command was accepted.</summary>
    public int Accepted => Volatile.Read(ref _accepted);

    /// <summary>Devices whose command succeeded.</summary>
    public int Succeeded => Volatile.Read(ref _succeeded);

    /// <summary>Devices whose command failed.</summary>
    public int Failed => Volatile.Read(ref _failed);

    /// <summary>Devices whose command was refused for good.</summary>
    public int Refused => Volatile.Read(ref _refused);

    /// <summary>Devices whose end is known: of the others some command may still be under way.</summary>
    public int Ended => Succeeded + Failed + Refused;

    /// <summary>What became of each device so far, in the order's order.</summary>
    public IEnumerable<DeviceOutcome> Outcomes => _outcomes.OfType<DeviceOutcome>();

    internal async Task RunAsync(OrkClient client, ClientPorts ports, CancellationToken cancellation)
    {
        var flows = new Task[Math.Min(Math.Max(1, _order.InFlight), Devices)];
        for (var i = 0; i < flows.Length; i++) flows[i] = FlowAsync(client, ports, cancellation);
        await Task.WhenAll(flows);
    }

    private async Task FlowAsync(OrkClient client, ClientPorts ports, CancellationToken cancellation)
    {
        while (Interlocked.Increment(ref _next) is var index && index < Devices)
        {
            var outcome = _outcomes[index] = await OneAsync(client, ports, _order.DeviceIds[index], cancellation);
            if (outcome.Status == CommandStatus.Success) Interlocked.Increment(ref _succeeded);
            else if (outcome.Status == CommandStatus.Rejected) Interlocked.Increment(ref _refused);
            else if (outcome.Status == CommandStatus.Failed) Interlocked.Increment(ref _failed);
        }
    }

    private async Task<DeviceOutcome> OneAsync(OrkClient client, ClientPorts ports, string deviceId, CancellationToken cancellation)
    {
        var order = new CommandOrder
        {
            Command = _order.Command,
            DeviceId = deviceId,
            Params = _order.Params,
            Priority = _order.Priority,
            DeadlineMs = _order.DeadlineMs,
            IdempotencyKey = $"{_order.Key}:{deviceId}",
        };
        string? commandId = null;
        try
        {
            commandId = await AgainAsync(async () => (await client.SendAsync(order, cancellation)).CommandId, ports, cancellation);
            Interlocked.Increment(ref _accepted);
            var view = await AgainAsync(() => client.WaitAsync(commandId, cancellation), ports, cancellation);
            return new DeviceOutcome(deviceId, commandId, view.Status, view.Error, view.Outcome);
        }
        catch (OrkRefusedException refused)
        {
            // A kernel's refusal leaves no trace. Its silence says nothing, and neither does any refusal to tell how an accepted command ended.
            var isHeard = commandId is null && !IsSilence(refused);
            return isHeard ? new DeviceOutcome(deviceId, null, CommandStatus.Rejected, refused.Error, CommandOutcome.NotStarted)
                : new DeviceOutcome(deviceId, commandId, CommandStatus.Unknown, refused.Error, CommandOutcome.Unknown);
        }
    }

    private static bool IsSilence(OrkRefusedException refused) => refused.Is(ErrorCodes.KernelUnavailable) || refused.Is(ErrorCodes.LinkLost);

    /// <summary>
    /// Asks again while the refusal says that it may help, and patience lasts: no sooner than the kernel asks for, and then at moments that spread, so that a
    /// fleet that was refused at once does not come back at once.
    /// </summary>
    private async Task<T> AgainAsync<T>(Func<Task<T>> ask, ClientPorts ports, CancellationToken cancellation)
    {
        var begun = ports.Time.GetTimestamp();
        var wasSilent = false;
        for (var failures = 0; ; failures++)
        {
            try
            {
                return await ask();
            }
            catch (OrkRefusedException refused) when ((refused.RetryAfterMs is not null || refused.Is(ErrorCodes.KernelUnavailable))
                && ports.Time.GetElapsedTime(begun).TotalMilliseconds < _order.PatienceMs)
            {
                wasSilent |= IsSilence(refused);
                var leastMs = refused.RetryAfterMs ?? RetryMs;
                await Task.Delay(TimeSpan.FromMilliseconds(leastMs + ports.Entropy.FullJitterMs(failures, leastMs, RetryCapMs)), ports.Time, cancellation);
            }
            catch (OrkRefusedException refused) when (wasSilent && refused.IsUnasked)
            {
                // What became of what was asked before, no kernel can be asked any more.
                throw new OrkRefusedException(ErrorCodes.LinkLost.Code, refused.Message);
            }
        }
    }
}
