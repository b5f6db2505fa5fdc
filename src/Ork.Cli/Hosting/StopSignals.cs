using System.Globalization;
using System.Runtime.InteropServices;

namespace Ork.Cli.Hosting;

/// <summary>
/// What asks a process to stop: SIGTERM, Ctrl-C, and the end of its terminal, which would otherwise end it as kill -9 does. Where the terminal's end is ignored, as under
/// nohup, it is ignored still.
/// </summary>
internal sealed class StopSignals : IDisposable
{
    private const string Ignored = "SigIgn:";

    private readonly PosixSignalRegistration[] _registrations;

    internal StopSignals(Action stop)
    {
        PosixSignal[] signals = IgnoresHangup() ? [PosixSignal.SIGTERM, PosixSignal.SIGINT] : [PosixSignal.SIGTERM, PosixSignal.SIGINT, PosixSignal.SIGHUP];
        _registrations = [.. signals.Select(signal => PosixSignalRegistration.Create(signal, context =>
        {
            context.Cancel = true;
            stop();
        }))];
    }

    /// <summary>True where this process, and all that it starts, ignores the end of its terminal: the lowest bit of the mask that Linux tells.</summary>
    internal static bool IgnoresHangup()
    {
        if (!OperatingSystem.IsLinux()) return false;
        var line = File.ReadLines("/proc/self/status").FirstOrDefault(static line => line.StartsWith(Ignored, StringComparison.Ordinal));
        return line is not null && (ulong.Parse(line.AsSpan(Ignored.Length).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture) & 1) != 0;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var registration in _registrations) registration.Dispose();
    }
}
