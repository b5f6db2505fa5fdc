using System.Runtime.InteropServices;
using Ork.Protocol;

namespace Ork.Transport;

/// <summary>
/// How many links a process may hold at once. The system limits the files a process has open, and a runtime that finds none left ends the process; so a part is left alone,
/// and links have the rest. A tenth of it is for callers and for nobody else: a site that has more Workers than room must still be able to ask its kernel what is wrong.
/// </summary>
public sealed class SocketRoom
{
    /// <summary>Open files that are left to the runtime, the store, logs and to those links that are told there is no room for them.</summary>
    public const int KeptFiles = 320;

    /// <summary>Open files below which a kernel should not be started.</summary>
    public const int LeastFiles = 512;

    private const int LeastLinks = 64;
    private const int CallersPercent = 10;

    // Who is refused holds a file until he has heard of it; above this nobody is told any more.
    private const int MostRefused = 32;

    private readonly object _gate = new();
    private int _callers;
    private int _others;
    private int _refused;

    /// <summary>The room there is where a process may have so many files open.</summary>
    /// <param name="files">The limit of open files; <see cref="long.MaxValue"/> where there is none.</param>
    public SocketRoom(long files)
    {
        Files = files;
        var links = Math.Max(LeastLinks, files - KeptFiles);
        MaxCallers = (int)Math.Min(int.MaxValue, links / 100.0 * CallersPercent);
        MaxOthers = (int)Math.Min(int.MaxValue, links - MaxCallers);
    }

    /// <summary>Room for so many links, whatever the system allows.</summary>
    internal SocketRoom(int callers, int others) => (Files, MaxCallers, MaxOthers) = (long.MaxValue, callers, others);

    /// <summary>The limit of open files that the room was reckoned from.</summary>
    public long Files { get; }

    /// <summary>The most links of callers.</summary>
    public int MaxCallers { get; }

    /// <summary>The most links of all others: Workers, whoever opened the link, and kernels.</summary>
    public int MaxOthers { get; }

    /// <summary>The room of this process. The runtime has raised its limit to the most that the system lets it have.</summary>
    public static SocketRoom OfThisProcess() => new(FilesOfThisProcess());

    internal int MostOf(Audience audience) => audience == Audience.Callers ? MaxCallers : MaxOthers;

    /// <summary>Takes a place for a link; to be disposed with its socket.</summary>
    /// <returns>A place, maybe one that is only good for a refusal, or null where there is none even for that.</returns>
    internal Place? Enter(Audience audience)
    {
        var isCaller = audience == Audience.Callers;
        lock (_gate)
        {
            if (isCaller ? _callers < MaxCallers : _others < MaxOthers)
            {
                if (isCaller) _callers++;
                else _others++;
                return new Place(this, isCaller, isRefused: false);
            }

            if (_refused >= MostRefused) return null;
            _refused++;
            return new Place(this, isCaller, isRefused: true);
        }
    }

    private void Leave(bool isCaller, bool isRefused)
    {
        lock (_gate)
        {
            if (isRefused) _refused--;
            else if (isCaller) _callers--;
            else _others--;
        }
    }

    private static long FilesOfThisProcess()
    {
        if (OperatingSystem.IsWindows()) return long.MaxValue;
        var openFiles = OperatingSystem.IsMacOS() ? 8 : 7;
        return getrlimit(openFiles, out var limit) == 0 && limit.Soft < long.MaxValue ? (long)limit.Soft : long.MaxValue;
    }

    [DllImport("libc")]
    private static extern int getrlimit(int resource, out ResourceLimit limit);

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct ResourceLimit
    {
        internal readonly ulong Soft;
        internal readonly ulong Hard;
    }

    /// <summary>One link's place. Leaving it twice is leaving it once: a link may be given up from several sides.</summary>
    internal sealed class Place(SocketRoom room, bool isCaller, bool isRefused) : IDisposable
    {
        private int _left;

        /// <summary>True: there is no room for the link, only for saying so.</summary>
        internal bool IsRefused => isRefused;

        /// <inheritdoc/>
        public void Dispose()
        {
            if (Interlocked.Exchange(ref _left, 1) == 0) room.Leave(isCaller, isRefused);
        }
    }
}
