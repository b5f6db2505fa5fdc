using System.Buffers;

namespace Ork.Protocol;

/// <summary>
/// Where payloads of received frames lie. They are rented by the threads that read links and returned by the one that handles them, many at once: the shared pool keeps
/// a few of a size for each core, and would make most of them anew.
/// </summary>
public static class FramePool
{
    private const int LargestKept = 4 * 1024;
    private const int KeptOfEachSize = 4_096;

    private static readonly ArrayPool<byte> Small = ArrayPool<byte>.Create(LargestKept, KeptOfEachSize);

    /// <summary>At least so many bytes.</summary>
    public static byte[] Rent(int length) => (length <= LargestKept ? Small : ArrayPool<byte>.Shared).Rent(length);

    /// <summary>Takes back what <see cref="Rent"/> gave.</summary>
    public static void Return(byte[] bytes)
    {
        ArgumentNullException.ThrowIfNull(bytes);
        (bytes.Length <= LargestKept ? Small : ArrayPool<byte>.Shared).Return(bytes);
    }
}
