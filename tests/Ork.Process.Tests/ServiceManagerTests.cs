using System.Net.Sockets;
using System.Text;
using Ork.Cli.Hosting;

namespace Ork.Process.Tests;

/// <summary>A kernel under a service manager, which the test plays.</summary>
public sealed class ServiceManagerTests
{
    private const int PatienceMs = 60_000;

    [Fact]
    public async Task A_kernel_says_when_it_serves_that_it_takes_turns_and_when_it_stops()
    {
        var directory = Directory.CreateTempSubdirectory("ork-notify").FullName;
        var path = Path.Combine(directory, "notify");
        using var manager = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { ReceiveTimeout = PatienceMs };
        manager.Bind(new UnixDomainSocketEndPoint(path));
        await using (var kernel = new LiveKernel(variables: [(ServiceManager.SocketVariable, path), (ServiceManager.WatchdogVariable, "400000")]))
        {
            kernel.Process.Start();
            Assert.Equal($"READY=1\nSTATUS=Serves on {Defaults.CallerEndpoint(kernel.Data)}, {Defaults.WorkerEndpoint(kernel.Data)}", Hear());
            Assert.Empty((await kernel.Client.WorkersAsync()).Workers);
            Assert.Equal("WATCHDOG=1", Hear());
            Assert.Equal("WATCHDOG=1", Hear());
            Assert.Equal(0, await kernel.Process.StopAsync(TimeSpan.FromMilliseconds(PatienceMs)));
            string said;
            do said = Hear();
            while (said == "WATCHDOG=1");
            Assert.StartsWith("STOPPING=1\n", said, StringComparison.Ordinal);
        }

        Directory.Delete(directory, recursive: true);

        string Hear()
        {
            var buffer = new byte[1_024];
            return Encoding.UTF8.GetString(buffer, 0, manager.Receive(buffer));
        }
    }
}
