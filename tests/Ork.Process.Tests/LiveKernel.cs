using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Ork.Cli.Demo;
using Ork.Cli.Hosting;
using Ork.Client;
using Ork.Protocol;
using Ork.Transport;

namespace Ork.Process.Tests;

/// <summary>A kernel as a process of its own, with its store and sockets in a folder of its own.</summary>
internal sealed class LiveKernel : IAsyncDisposable
{
    private readonly List<ChildProcess> _hosts = [];

    /// <summary>Makes a kernel that does not run yet.</summary>
    /// <param name="configure">Makes its configuration from its folder, or null for none.</param>
    /// <param name="maxOpenFiles">How many files its process may have open, or null for as many as this one.</param>
    /// <param name="isHeard">False: nobody reads its log.</param>
    /// <param name="variables">Variables of its process's environment.</param>
    internal LiveKernel(Func<string, object>? configure = null, int? maxOpenFiles = null, bool isHeard = true, params (string Name, string Value)[] variables)
    {
        Directory = System.IO.Directory.CreateTempSubdirectory("ork-live").FullName;
        Data = Path.Combine(Directory, "kernel");
        string[] config = [];
        if (configure is not null)
        {
            var path = Path.Combine(Directory, "ork.json");
            File.WriteAllText(path, JsonSerializer.Serialize(configure(Directory)));
            config = ["--config", path];
        }

        Process = new ChildProcess(Path.Combine(Directory, "kernel.log"), ["kernel", "run", "--data", Data, .. config]) { MaxOpenFiles = maxOpenFiles, IsHeard = isHeard, Variables = variables };
        Client = NewClient();
    }

    internal string Directory { get; }

    internal string Data { get; }

    internal ChildProcess Process { get; }

    internal OrkClient Client { get; }

    internal string ExecutionsPath => Path.Combine(Directory, "executions.log");

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        foreach (var host in _hosts) host.Dispose();
        Process.Dispose();
        System.IO.Directory.Delete(Directory, recursive: true);
    }

    internal OrkClient NewClient(string name = "test") => new(
        new ClientOptions { Endpoint = LinkEndpoint.TryParse(Defaults.CallerEndpoint(Data))!, Name = name, TimeoutMs = 60_000 },
        new ClientPorts { Network = new SocketNetwork(new SocketNetworkOptions()), Entropy = new SystemEntropy() });

    /// <summary>Starts a process that hosts simulated Workers.</summary>
    internal ChildProcess StartHost(int workers, int devices, string prefix = "sim", double latencyMs = 2)
    {
        var host = new ChildProcess(
            Path.Combine(Directory, $"workers-{prefix}.log"), "worker", "sim", "--count", $"{workers}", "--devices", $"{devices}", "--prefix", prefix,
            "--connect", Defaults.WorkerEndpoint(Data), "--data", Path.Combine(Directory, "fleet"), "--executions", ExecutionsPath,
            "--latency", latencyMs.ToString(System.Globalization.CultureInfo.InvariantCulture));
        _hosts.Add(host);
        host.Start();
        return host;
    }

    /// <summary>Waits until so many Workers are linked, ready and healthy.</summary>
    internal async Task<FleetView> InServiceAsync(int workers)
    {
        while (true)
        {
            var fleet = await Client.WorkersAsync();
            if (fleet.Workers.Count(worker => worker is { Linked: true, State: "Ready", Health: "Healthy" }) == workers) return fleet;
            Assert.False(Process.HasExited, "The kernel ended by itself.");
            await Task.Yield();
        }
    }

    /// <summary>Has a device's light put on.</summary>
    /// <returns>How the command ended.</returns>
    internal async Task<CommandStatus> RunAsync(string deviceId)
    {
        var receipt = await Client.SendAsync(new CommandOrder { Command = "set-led", DeviceId = deviceId, Params = new { on = true } });
        return (await Client.WaitAsync(receipt.CommandId)).Status;
    }

    /// <summary>Waits for the first line that the kernel logs.</summary>
    internal async Task<string> FirstLogLineAsync()
    {
        var log = new FileInfo(Path.Combine(Directory, "kernel.log"));
        var waited = Stopwatch.StartNew();
        while (!log.Exists || log.Length == 0)
        {
            Assert.True(waited.Elapsed < TimeSpan.FromMinutes(1), "Nothing was logged within a minute.");
            await Task.Yield();
            log.Refresh();
        }

        return File.ReadLines(log.FullName).First();
    }

    /// <summary>Kills the kernel (SIGKILL) and starts it again.</summary>
    internal void Bounce()
    {
        Process.Kill();
        Process.Start();
    }

    internal Task<Socket> CallerSocketAsync() => SocketAsync(Defaults.CallerEndpoint(Data));

    internal Task<Socket> WorkerSocketAsync() => SocketAsync(Defaults.WorkerEndpoint(Data));

    private static async Task<Socket> SocketAsync(string endpoint)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(LinkEndpoint.TryParse(endpoint)!.Path!));
        return socket;
    }
}

/// <summary>A plain socket that speaks frames, well or badly.</summary>
internal static class PlainSocket
{
    internal static Task SendFrameAsync(this Socket socket, FrameKind kind, ulong correlation, string payload) =>
        SendFrameAsync(socket, kind, correlation, Encoding.UTF8.GetBytes(payload));

    internal static async Task SendFrameAsync(this Socket socket, FrameKind kind, ulong correlation, byte[] payload)
    {
        var frame = new byte[FrameHeader.Size + payload.Length];
        new FrameHeader(kind, correlation, payload.Length).Write(frame);
        payload.CopyTo(frame, FrameHeader.Size);
        await socket.SendAsync(frame);
    }

    /// <summary>The next frame, or null at the end.</summary>
    internal static async Task<(FrameKind Kind, ulong Correlation, string Payload)?> ReadFrameAsync(this Socket socket)
    {
        var head = new byte[FrameHeader.Size];
        if (!await FillAsync(socket, head)) return null;
        Assert.Null(FrameHeader.Read(head, FrameHeader.DefaultMaxFrameBytes, out var header));
        var payload = new byte[header.PayloadLength];
        return await FillAsync(socket, payload) ? (header.Kind, header.Correlation, Encoding.UTF8.GetString(payload)) : null;
    }

    private static async Task<bool> FillAsync(Socket socket, Memory<byte> buffer)
    {
        try
        {
            while (buffer.Length > 0)
            {
                var read = await socket.ReceiveAsync(buffer);
                if (read == 0) return false;
                buffer = buffer[read..];
            }

            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
