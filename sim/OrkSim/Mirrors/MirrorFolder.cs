using Ork;

namespace OrkSim;

/// <summary>A folder of its own for the files of one mirror, gone with it. In memory where the machine has such a place: what is checked is what is read back, not the disk.</summary>
[OrkRole(OrkRole.Edge)]
internal sealed class MirrorFolder : IDisposable
{
    private const string InMemory = "/dev/shm";

    internal MirrorFolder()
    {
        var parent = Directory.Exists(InMemory) ? InMemory : System.IO.Path.GetTempPath();
        Path = System.IO.Path.Combine(parent, $"orksim-mirror-{Environment.ProcessId}-{Guid.NewGuid():N}");
        Directory.CreateDirectory(Path);
    }

    internal string Path { get; }

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(Path, recursive: true);
}
