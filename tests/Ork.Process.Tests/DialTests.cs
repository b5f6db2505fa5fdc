using Ork.Client;
using Ork.Protocol;
using Ork.Transport;
using Ork.Worker;

namespace Ork.Process.Tests;

/// <summary>Workers that listen, found in a watched folder and dialled by a kernel process.</summary>
public sealed class DialTests
{
    [Fact]
    public async Task A_Worker_that_appears_in_the_folder_is_dialled_and_dialled_again_after_both_sides_were_gone()
    {
        await using var kernel = new LiveKernel(directory => new
        {
            discovery = new { directory = Path.Combine(directory, "workers.d") },
            kernel = new { links = new { discoveryIntervalMs = 50, retryBaseMs = 10, retryCapMs = 100 } },
        });
        var folder = Directory.CreateDirectory(Path.Combine(kernel.Directory, "workers.d"));
        var endpoint = LinkEndpoint.Unix(Path.Combine(kernel.Directory, "w.sock"));
        kernel.Process.Start();
        Assert.Empty((await kernel.Client.WorkersAsync()).Workers);
        File.WriteAllText(Path.Combine(folder.FullName, "w"), endpoint.ToString());
        for (var life = 1; life <= 2; life++)
        {
            using var stop = new CancellationTokenSource();
            var running = Worker(endpoint).RunAsync(stop.Token);
            var fleet = await kernel.InServiceAsync(1);
            Assert.Equal(endpoint.ToString(), Assert.Single(fleet.Workers).Endpoint);
            await ActAsync(kernel);
            kernel.Bounce();
            await kernel.InServiceAsync(1);
            await ActAsync(kernel);
            await stop.CancelAsync();
            await running;
            while ((await kernel.Client.WorkersAsync()).Workers[0].Linked) await Task.Yield();
        }
    }

    private static async Task ActAsync(LiveKernel kernel)
    {
        var receipt = await kernel.Client.SendAsync(new CommandOrder { Command = "act", DeviceId = "d" });
        Assert.Equal(CommandStatus.Success, (await kernel.Client.WaitAsync(receipt.CommandId)).Status);
    }

    private static OrkWorker Worker(LinkEndpoint endpoint)
    {
        var contract = WorkerDefinition.ContractOf(new { metadata = new { }, capabilities = new { commands = new[] { new { name = "act" } } } });
        var definition = new WorkerDefinition("w", contract, ["d"]).OnCommand("act", (_, _) => new(CommandReply.Success()));
        var ports = new WorkerPorts
        {
            Network = new SocketNetwork(new SocketNetworkOptions()),
            Entropy = new SystemEntropy(),
            Time = TimeProvider.System,
            Journal = new MemoryCommandJournal(),
        };
        return new OrkWorker(definition, new WorkerOptions { Listen = endpoint }, ports);
    }
}
