using Ork.Worker;

namespace Ork.Cli.Fleet;

/// <summary>A simulated mining device: takes its time, remembers what it was told, and writes down by itself whatever it executes.</summary>
internal sealed class SimulatedMiner(string deviceId, ExecutionLog log, FleetPace pace, HangSwitch? hang = null)
{
    private readonly object _gate = new();
    private readonly Random _noise = new(StableSeed(deviceId));
    private readonly DateTimeOffset _born = TimeProvider.System.GetUtcNow();
    private DateTimeOffset _bootedAt = TimeProvider.System.GetUtcNow();
    private string _powerMode = "normal";
    private double _powerPct = 100;
    private bool _led;
    private int _reboots;

    internal string DeviceId { get; } = deviceId;

    /// <summary>Carries out a command of the contract.</summary>
    internal async Task<object> ExecuteAsync(CommandCall call, CancellationToken cancellation)
    {
        await Task.Delay(pace.Before(call.Command), cancellation);
        if (hang is not null) await hang.PassAsync(cancellation);

        // The one moment at which the device acts. What it writes here is what really happened, whatever anyone says later.
        log.Write(DeviceId, call);
        lock (_gate) Apply(call);
        await Task.Delay(pace.After(call.Command), CancellationToken.None);
        return new { deviceId = DeviceId, applied = call.Command };
    }

    /// <summary>The device's state.</summary>
    internal object State()
    {
        lock (_gate) return new { powerMode = _powerMode, powerPct = _powerPct, led = _led, reboots = _reboots };
    }

    /// <summary>The device's metrics now.</summary>
    internal object Metrics()
    {
        lock (_gate)
        {
            var nominal = (_powerMode switch { "low" => 82.0, "high" => 118.0, "sleep" => 0, _ => 100.0 }) * _powerPct / 100;
            var hashrate = nominal * (0.985 + (_noise.NextDouble() * 0.03));
            return new
            {
                hashrateThs = Math.Round(hashrate, 2),
                powerW = Math.Round((hashrate * 29.5) + 60, 0),
                temperatureC = Math.Round(38 + (hashrate * 0.31) + (_noise.NextDouble() * 2), 1),
                fanRpm = (int)(2_100 + (hashrate * 34)),
                acceptedShares = (long)((TimeProvider.System.GetUtcNow() - _born).TotalSeconds * 0.4),
                uptimeS = (long)(TimeProvider.System.GetUtcNow() - _bootedAt).TotalSeconds,
            };
        }
    }

    private void Apply(CommandCall call)
    {
        switch (call.Command)
        {
            case "reboot":
                _bootedAt = TimeProvider.System.GetUtcNow();
                _reboots++;
                break;
            case "set-power-mode":
                _powerMode = call.Params.GetProperty("mode").GetString()!;
                break;
            case "set-power-pct":
                _powerPct = call.Params.GetProperty("pct").GetDouble();
                break;
            case "set-led":
                _led = call.Params.GetProperty("on").GetBoolean();
                break;
        }
    }

    private static int StableSeed(string text) => text.Aggregate(17, (seed, character) => unchecked((seed * 31) + character));
}

/// <summary>How long simulated devices take.</summary>
/// <param name="latencyMs">Milliseconds of a quick command; a reboot takes ten times as long.</param>
internal sealed class FleetPace(double latencyMs)
{
    internal TimeSpan Before(string command) => TimeSpan.FromMilliseconds(latencyMs * (command == "reboot" ? 5 : 0.5));

    internal TimeSpan After(string command) => Before(command);
}

/// <summary>Makes devices hang: while its file exists none of them comes to act, although their Worker lives and answers pings.</summary>
/// <param name="path">The file.</param>
internal sealed class HangSwitch(string path)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(50);

    internal async Task PassAsync(CancellationToken cancellation)
    {
        while (File.Exists(path)) await Task.Delay(LookEvery, cancellation);
    }
}

/// <summary>
/// The devices' own log of what they executed: one line an execution, handed to the operating system before the device goes on, so that it survives the
/// death of its process. The ground truth of every audit.
/// </summary>
internal sealed class ExecutionLog : IDisposable
{
    private readonly object _gate = new();
    private readonly FileStream? _file;

    /// <summary>Appends to a file; null for none.</summary>
    internal ExecutionLog(string? path)
    {
        if (path is null) return;
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        _file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
    }

    /// <inheritdoc/>
    public void Dispose() => _file?.Dispose();

    internal void Write(string deviceId, CommandCall call)
    {
        if (_file is null) return;
        var line = System.Text.Encoding.UTF8.GetBytes(
            $"{deviceId}\t{call.CommandId}\t{call.Command}\t{call.Attempt}\t{call.Epoch}\t{TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds()}\n");
        lock (_gate) _file.Write(line);
    }

    /// <summary>Reads a log: executions by command id. A last line that a kill cut off is no execution: its write did not happen whole.</summary>
    internal static IReadOnlyDictionary<string, List<Execution>> Read(string path)
    {
        var executions = new Dictionary<string, List<Execution>>(StringComparer.Ordinal);
        if (!File.Exists(path)) return executions;
        foreach (var line in File.ReadLines(path))
        {
            var fields = line.Split('\t');
            if (fields.Length != 6) continue;
            if (!executions.TryGetValue(fields[1], out var list)) executions.Add(fields[1], list = []);
            list.Add(new Execution(fields[0], fields[2], long.Parse(fields[4], System.Globalization.CultureInfo.InvariantCulture)));
        }

        return executions;
    }
}

/// <summary>One execution by one device.</summary>
/// <param name="DeviceId">The device.</param>
/// <param name="Command">The command's name.</param>
/// <param name="Epoch">The epoch it came with.</param>
internal sealed record Execution(string DeviceId, string Command, long Epoch);
