using Ork.Protocol;
using Ork.Transport;

namespace Ork.Benchmarks;

/// <summary>A group of Workers that announce themselves at one endpoint.</summary>
/// <param name="Endpoint">Where.</param>
/// <param name="Prefix">What their ids begin with.</param>
/// <param name="Workers">How many.</param>
/// <param name="Devices">Devices of each.</param>
/// <param name="PauseMs">The most a Worker waits before it connects again.</param>
internal sealed record WorkerGroup(string Endpoint, string Prefix, int Workers, int Devices, int PauseMs = 50)
{
    internal string WorkerId(int worker) => $"{Prefix}-{worker:d5}";

    internal string DeviceId(int worker, int device) => $"{Prefix}-{worker:d5}-{device:d3}";

    /// <summary>All devices, Workers taking turns.</summary>
    internal string[] AllDevices => [.. Enumerable.Range(0, Devices).SelectMany(device => Enumerable.Range(0, Workers).Select(worker => DeviceId(worker, device)))];
}

/// <summary>The process of the Workers.</summary>
internal static class WorkersRole
{
    internal static void Start(IReadOnlyList<WorkerGroup> groups)
    {
        foreach (var group in groups)
        {
            var endpoint = LinkEndpoint.TryParse(group.Endpoint)!;
            var network = new SocketNetwork(new SocketNetworkOptions { Identity = endpoint.IsUnix ? null : LinkIdentity.Ephemeral(), Kernels = new KeyAllowlist([], allowAny: true) });
            for (var worker = 0; worker < group.Workers; worker++)
            {
                var index = worker;
                var answerer = new Answerer(group.WorkerId(worker), [.. Enumerable.Range(0, group.Devices).Select(device => group.DeviceId(index, device))]);
                _ = endpoint.IsUnix ? ServeAsync(endpoint.Path!, answerer, group.PauseMs) : ServeSecureAsync(network, endpoint, answerer, group.PauseMs);
            }
        }
    }

    /// <summary>Serves over a bare socket, and again whenever the link is lost.</summary>
    private static async Task ServeAsync(string path, Answerer answerer, int pauseMs)
    {
        await Task.Yield();
        var greeting = new Greeting(Greeting.Worker, answerer.WorkerId).ToBytes();
        while (true)
        {
            try
            {
                using var link = FrameSocket.Connect(path);
                link.Put(FrameKind.Hello, 0, greeting);
                link.Flush();
                while (await link.ReceiveAsync())
                {
                    while (link.TryTake(out var header))
                    {
                        if (header.Kind == FrameKind.Request) link.Put(FrameKind.Response, header.Correlation, answerer.Answer(link.Payload));
                    }

                    link.Flush();
                }
            }
            catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException)
            {
                // The kernel is away; the next try is on its way.
            }

            await Task.Delay(Random.Shared.Next(1, pauseMs));
        }
    }

    private static async Task ServeSecureAsync(SocketNetwork network, LinkEndpoint endpoint, Answerer answerer, int pauseMs)
    {
        await Task.Yield();
        var greeting = new Greeting(Greeting.Worker, answerer.WorkerId).ToBytes();
        while (true)
        {
            try
            {
                using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
                var link = await network.ConnectAsync(endpoint, null, patience.Token);
                link.Send(FrameKind.Hello, 0, greeting);
                while (await link.ReceiveAsync() is { } frame)
                {
                    if (frame.Kind == FrameKind.Request) link.Send(FrameKind.Response, frame.Correlation, answerer.Answer(frame.Payload));
                    frame.Release();
                }

                link.Close(null);
            }
            catch (Exception e) when (e is LinkException or OperationCanceledException or IOException)
            {
                // As above.
            }

            await Task.Delay(Random.Shared.Next(1, pauseMs));
        }
    }
}
