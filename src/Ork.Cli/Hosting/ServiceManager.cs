using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Ork.Cli.Hosting;

/// <summary>
/// Tells the service manager that started this process how the kernel is, as sd_notify(3) says: that it serves, that it stops, and, where the unit has a <c>WatchdogSec</c>, that its
/// turns are taken. One that hangs falls silent, and is started anew.
/// </summary>
internal sealed class ServiceManager : IDisposable
{
    internal const string SocketVariable = "NOTIFY_SOCKET";
    internal const string WatchdogVariable = "WATCHDOG_USEC";
    private const string WatchdogOf = "WATCHDOG_PID";

    // Told four times as often as needed, a word that is lost or late ends nobody.
    private const int WordsInTime = 4;
    private const int MostSendMs = 1_000;

    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { SendTimeout = MostSendMs };
    private readonly UnixDomainSocketEndPoint _manager;
    private readonly TimeSpan? _pause;
    private readonly TimeProvider _time;
    private readonly ILogger _log;

    // What fails as often as it is tried is told once.
    private string? _failure;

    private ServiceManager(UnixDomainSocketEndPoint manager, TimeSpan? patience, TimeProvider time, ILogger log)
    {
        _manager = manager;
        _pause = patience / WordsInTime;
        _time = time;
        _log = log;
    }

    /// <summary>The manager that <paramref name="environment"/> names, or null where there is none.</summary>
    internal static ServiceManager? Find(Func<string, string?> environment, TimeProvider time, ILogger log)
    {
        if (environment(SocketVariable) is not { Length: > 1 } socket) return null;
        if (EndPointOf(socket) is not { } manager)
        {
            log.LogWarning("{Variable} is '{Socket}', which is no socket of this machine: nobody is told how the kernel is", SocketVariable, socket);
            return null;
        }

        var isOurs = environment(WatchdogOf) is not { Length: > 0 } pid || pid == Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        var isWatched = isOurs & long.TryParse(environment(WatchdogVariable), NumberStyles.None, CultureInfo.InvariantCulture, out var us) && us > 0;
        return new ServiceManager(manager, isWatched ? TimeSpan.FromMicroseconds(us) : null, time, log);
    }

    /// <summary>Linux writes the name of a socket that is in no file system with an @.</summary>
    private static UnixDomainSocketEndPoint? EndPointOf(string socket)
    {
        try
        {
            return socket[0] switch
            {
                '/' => new UnixDomainSocketEndPoint(socket),
                '@' => new UnixDomainSocketEndPoint(string.Concat("\0", socket.AsSpan(1))),
                _ => null,
            };
        }
        catch (ArgumentException)
        {
            // Longer than the name of any socket.
            return null;
        }
    }

    /// <summary>Says that the kernel serves once <paramref name="serves"/> completes, and from then on, as often as it is asked to, that it takes turns.</summary>
    /// <param name="serves">Completes, with what to say of it, when the kernel serves. Where it fails, nothing is said.</param>
    /// <param name="nextTurn">Completes with the kernel's next turn.</param>
    /// <param name="over">Ends it.</param>
    internal async Task WatchAsync(Task<string> serves, Func<Task> nextTurn, CancellationToken over)
    {
        try
        {
            Tell($"READY=1\nSTATUS={await serves.WaitAsync(over)}");
            while (_pause is { } pause)
            {
                // A turn that an instance did not come to is never taken: the next one is asked for.
                var turn = nextTurn();
                if (await Task.WhenAny(turn, Task.Delay(pause, _time, over)) == turn) Tell("WATCHDOG=1");
                await Task.Delay(pause, _time, over);
            }
        }
        catch (Exception e)
        {
            // It is over, or the kernel did not come to serve, of which whoever runs it hears.
            _log.LogDebug(e, "The service manager is told no more");
        }
    }

    /// <summary>Says that the kernel comes to its end.</summary>
    internal void Stopping() => Tell("STOPPING=1\nSTATUS=Stops: what is in flight may end");

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    private void Tell(string state)
    {
        try
        {
            _socket.SendTo(Encoding.UTF8.GetBytes(state), _manager);
            _failure = null;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Nobody listens, or a second word to stop comes as the process ends.
            if (_failure != e.Message) _log.LogWarning("The service manager cannot be told {State}: {Error}", state, e.Message);
            _failure = e.Message;
        }
    }
}
