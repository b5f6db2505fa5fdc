using System.Diagnostics;
using System.Net.Sockets;
using Ork.Protocol;

namespace Ork.Benchmarks;

/// <summary>How a relay stands.</summary>
/// <param name="Links">Workers that are linked.</param>
/// <param name="CpuMs">Processor time it has used.</param>
internal sealed record RelayUse(int Links, double CpuMs);

/// <summary>
/// The bare relay: one caller, many Workers, each frame handed on unread. What a kernel that did nothing at all could do over the same sockets.
/// </summary>
internal static class RelayRole
{
    /// <summary>Starts it.</summary>
    /// <returns>What tells how it stands.</returns>
    internal static Func<RelayUse> Start(string callers, string workers)
    {
        var links = new List<FrameSocket>();
        var turn = new TaskCompletionSource<FrameSocket>(TaskCreationOptions.RunContinuationsAsynchronously);
        _ = AcceptAsync(workers, async link =>
        {
            lock (links) links.Add(link);
            var caller = await turn.Task;
            while (await link.ReceiveAsync()) Forward(link, FrameKind.Response, () => caller).FlushSoon();
        });
        _ = AcceptAsync(callers, async link =>
        {
            FrameSocket[] all;
            lock (links) all = [.. links];
            link.Put(FrameKind.Welcome, 0, []);
            link.Flush();
            turn.SetResult(link);
            var next = 0;
            var told = new List<FrameSocket>();
            while (await link.ReceiveAsync())
            {
                Forward(link, FrameKind.Request, () =>
                {
                    told.Add(all[next++ % all.Length]);
                    return told[^1];
                });
                foreach (var worker in told) worker.FlushSoon();
                told.Clear();
            }
        });
        return () =>
        {
            using var process = Process.GetCurrentProcess();
            lock (links) return new RelayUse(links.Count, process.TotalProcessorTime.TotalMilliseconds);
        };
    }

    private static FrameSocket Forward(FrameSocket from, FrameKind kind, Func<FrameSocket> next)
    {
        var to = from;
        while (from.TryTake(out var header))
        {
            if (header.Kind != kind) continue;
            to = next();
            lock (to) to.Put(header.Kind, header.Correlation, from.Payload.Span);
        }

        return to;
    }

    private static async Task AcceptAsync(string path, Func<FrameSocket, Task> serve)
    {
        var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen(1024);
        while (true)
        {
            var link = new FrameSocket(await listener.AcceptAsync());
            _ = serve(link);
        }
    }
}
