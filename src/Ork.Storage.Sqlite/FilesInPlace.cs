using System.Runtime.InteropServices;
using System.Text;

namespace Ork.Storage.Sqlite;

/// <summary>
/// Whether files that are open are still those of their names. On Linux a file that was removed, or replaced, takes what is written as if nothing had happened, and is gone with
/// its last user: a store that does not look would report as durable what nobody will find again. Elsewhere all are taken to be in place.
/// </summary>
internal sealed class FilesInPlace
{
    private const int WorkingDirectory = -100;
    private const uint WantsInode = 0x100;
    private const int NoSuchFile = 2;
    private const int NoSuchDirectory = 20;

    private readonly (string Name, byte[] Path, ulong Inode)[] _files;

    /// <summary>Takes down which files stand at these paths now.</summary>
    internal FilesInPlace(params string[] paths) =>
        _files = [.. paths.Select(path => (Path.GetFileName(path), Encoding.UTF8.GetBytes(path + '\0'))).Select(static file => (file.Item1, file.Item2, InodeOf(file.Item2) ?? 0))];

    /// <summary>The name of the first that is not there any more; null where all are. Some two microseconds.</summary>
    internal string? FindLost()
    {
        foreach (var (name, path, inode) in _files)
        {
            if (InodeOf(path) is { } now && now != inode) return name;
        }

        return null;
    }

    /// <summary>The file at a path: 0 where there is none, null where nobody can say.</summary>
    private static ulong? InodeOf(byte[] path)
    {
        if (!OperatingSystem.IsLinux()) return null;
        if (statx(WorkingDirectory, path, 0, WantsInode, out var found) == 0) return found.Inode;
        return Marshal.GetLastPInvokeError() is NoSuchFile or NoSuchDirectory ? 0 : null;
    }

    [DllImport("libc", SetLastError = true)]
    private static extern int statx(int directory, byte[] path, int flags, uint mask, out FileStatus status);

    /// <summary>The part of <c>struct statx</c> that is the same on every machine.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private readonly struct FileStatus
    {
        [FieldOffset(32)]
        internal readonly ulong Inode;
    }
}
