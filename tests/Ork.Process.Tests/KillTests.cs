using Ork.Cli.Demo;
using Ork.Cli.Fleet;
using Ork.Cli.Hosting;
using Ork.Client;
using Ork.Kernel;
using Ork.Protocol;
using Ork.Storage.Sqlite;

namespace Ork.Process.Tests;

/// <summary>Real processes, real kills, the real store.</summary>
public sealed class KillTests
{
    [Fact]
    public async Task Fifty_kernel_kills_lose_no_acknowledged_command_and_the_store_always_opens()
    {
        await using var kernel = new LiveKernel();
        kernel.Process.Start();
        kernel.StartHost(workers: 4, devices: 10);
        await kernel.InServiceAsync(4);
        var acknowledged = new Acknowledged();
        using var stop = new CancellationTokenSource();
        var callers = Enumerable.Range(0, 16).Select(caller => KeepSendingAsync(kernel, caller, acknowledged, stop.Token)).ToArray();
        var random = new Random(20_261_123);
        for (var kill = 0; kill < 50; kill++)
        {
            // The moment is counted in acknowledgements since the last start, so that it falls anywhere in the kernel's work.
            await acknowledged.MoreAsync(random.Next(0, 60));
            kernel.Bounce();
        }

        await kernel.InServiceAsync(4);
        await stop.CancelAsync();
        await Task.WhenAll(callers);
        var ends = await Task.WhenAll(acknowledged.Ids.Select(id => kernel.Client.WaitAsync(id)).ToArray());
        Assert.Equal(0, await kernel.Process.StopAsync(TimeSpan.FromSeconds(30)));

        await using var store = await new SqliteKernelStoreOpener(kernel.Data, fullCheck: true).OpenAsync();
        var image = store.TakeImage();

        // The first start, one after each kill, and this opening; a kill may strike before its kernel had opened the store.
        Assert.InRange(image.Epoch, 40, 52);
        var stored = image.Commands.ToDictionary(row => row.Spec.CommandId, StringComparer.Ordinal);
        Assert.DoesNotContain(acknowledged.Ids, id => !stored.ContainsKey(id));
        Assert.All(ends, view => Assert.Equal(view.Status, (CommandStatus)stored[view.CommandId].State));
        Assert.Equal(image.Commands.Count, image.Commands.Select(row => row.Spec.IdempotencyKey).Distinct().Count());
        var executions = ExecutionLog.Read(kernel.ExecutionsPath);
        Assert.DoesNotContain(ends, view => view.Status == CommandStatus.Success && !executions.ContainsKey(view.CommandId));

        // No Worker was killed, so its journal knows every end: nothing is executed twice, safe to repeat or not.
        Assert.DoesNotContain(executions, entry => entry.Value.Count > 1);
    }

    [Fact]
    public async Task The_demonstration_keeps_its_promise_under_kills_of_both_sides()
    {
        var directory = Directory.CreateTempSubdirectory("ork-demo").FullName;
        var plan = new DemoPlan(Workers: 6, Devices: 5, Commands: 600, KernelKills: 3, WorkerKills: 3, Seed: 5, InFlight: 64, HangWorkers: 0);
        using (var run = new DemoRun(plan, directory))
        {
            await run.RunAsync(CancellationToken.None);
            var report = await DemoAudit.RunAsync(plan, run);
            Assert.Equal((600, 0, 0, 0), (report.Accepted, report.Lost, report.ExecutedTwice, report.FalseSuccess));
            Assert.Equal(600, report.Succeeded + report.Failed);
            Assert.Equal(6, report.RecoveryMs.Count);
            Assert.All(report.Failures.Keys, code => Assert.NotNull(ErrorCodes.SentenceOf(code)));
        }

        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task Workers_that_hang_are_contained_and_the_others_do_not_notice()
    {
        var directory = Directory.CreateTempSubdirectory("ork-demo").FullName;
        var plan = new DemoPlan(Workers: 6, Devices: 20, Commands: 1_200, KernelKills: 0, WorkerKills: 0, Seed: 6, InFlight: 64, HangWorkers: 2);
        using (var run = new DemoRun(plan, directory))
        {
            await run.RunAsync(CancellationToken.None);
            var report = await DemoAudit.RunAsync(plan, run);
            Assert.Equal((1_200, 0, 0, 0), (report.Accepted, report.Lost, report.ExecutedTwice, report.FalseSuccess));
            Assert.Equal(2, report.CircuitsOpened);
            Assert.True(report.OthersServed > 0);
            var others = run.Commands.Where(sent => !sent.IsForHanging);
            Assert.All(others, sent => Assert.Equal(CommandStatus.Success, sent.End!.Status));
        }

        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task A_fleet_order_that_was_interrupted_goes_on_and_doubles_nothing_whatever_is_killed()
    {
        await using var kernel = new LiveKernel();
        kernel.Process.Start();
        kernel.StartHost(workers: 4, devices: 50, latencyMs: 20);
        await kernel.InServiceAsync(4);
        var devices = await kernel.Client.FindDevicesAsync();
        Assert.Equal(200, devices.Count);
        var order = new FleetOrder { Command = "reboot", Key = "sleep-tonight", DeviceIds = devices, InFlight = 16 };
        using (var interruption = new CancellationTokenSource())
        {
            var sending = kernel.Client.SendToFleetAsync(order, out var first, interruption.Token);
            while (first.Ended < 20) await Task.Yield();
            await interruption.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending);
            Assert.InRange(first.Ended, 20, 199);
        }

        kernel.Bounce();
        await kernel.Client.SendToFleetAsync(order, out var second);
        Assert.Equal((200, 0, 0), (second.Succeeded, second.Failed, second.Refused));
        Assert.Equal(devices, second.Outcomes.Select(outcome => outcome.DeviceId));
        var executions = ExecutionLog.Read(kernel.ExecutionsPath);
        Assert.Equal(200, executions.Count);
        Assert.All(executions.Values, list => Assert.Single(list));
    }

    [Fact]
    public async Task Two_thousand_announced_Workers_are_all_back_after_a_kernel_restart()
    {
        await using var kernel = new LiveKernel();
        kernel.Process.Start();
        for (var host = 0; host < 4; host++) kernel.StartHost(workers: 500, devices: 1, prefix: $"h{host}");
        await kernel.InServiceAsync(2_000);
        kernel.Bounce();
        var fleet = await kernel.InServiceAsync(2_000);
        Assert.InRange(fleet.Kernel.GetProperty("registering").GetInt32(), 0, new LinkOptions().MaxRegistrations);
        Assert.Equal(2, fleet.Kernel.GetProperty("epoch").GetInt32());
        var receipt = await kernel.Client.SendAsync(new CommandOrder { Command = "set-led", DeviceId = "h3-500-0001", Params = new { on = true } });
        Assert.Equal(CommandStatus.Success, (await kernel.Client.WaitAsync(receipt.CommandId)).Status);
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("HUP")]
    public async Task A_kernel_told_to_stop_ends_what_is_in_flight_and_exits_well(string signal)
    {
        Assert.SkipWhen(signal == "HUP" && StopSignals.IgnoresHangup(), "The end of the terminal is ignored here, and by all that is started from here.");
        await using var kernel = new LiveKernel();
        kernel.Process.Start();
        kernel.StartHost(workers: 1, devices: 4, latencyMs: 50);
        await kernel.InServiceAsync(1);
        var receipts = new List<string>();
        for (var device = 1; device <= 4; device++)
        {
            receipts.Add((await kernel.Client.SendAsync(new CommandOrder { Command = "reboot", DeviceId = $"wm-001-{device:d4}" })).CommandId);
        }

        Assert.Equal(0, await kernel.Process.StopAsync(TimeSpan.FromSeconds(30), signal));
        await using var store = await new SqliteKernelStoreOpener(kernel.Data).OpenAsync();
        var states = store.TakeImage().Commands.ToDictionary(row => row.Spec.CommandId, row => row.State, StringComparer.Ordinal);
        Assert.All(receipts, id => Assert.Equal(CommandState.Success, states[id]));
    }

    private static async Task KeepSendingAsync(LiveKernel kernel, int caller, Acknowledged acknowledged, CancellationToken stop)
    {
        await using var client = kernel.NewClient($"caller-{caller}");
        for (var number = 0; !stop.IsCancellationRequested; number++)
        {
            var key = $"{caller}-{number}";
            var order = new CommandOrder
            {
                Command = number % 5 == 0 ? "reboot" : "set-power-pct",
                DeviceId = $"wm-{(caller % 4) + 1:d3}-{(number % 10) + 1:d4}",
                Params = number % 5 == 0 ? new { } : new { pct = 50 },
                IdempotencyKey = key,
            };
            try
            {
                var receipt = await client.SendAsync(order, CancellationToken.None);
                Assert.True(acknowledged.Add(receipt.CommandId), "Two keys got one command.");
            }
            catch (OrkRefusedException refused) when (refused.RetryAfterMs is not null || refused.Is(ErrorCodes.KernelUnavailable))
            {
                // Refused with a hint: not accepted, so nothing to keep.
            }
        }
    }

    /// <summary>The commands that a kernel has acknowledged. Waiting for more of them takes nothing from those who make them.</summary>
    private sealed class Acknowledged
    {
        private readonly object _gate = new();
        private readonly HashSet<string> _ids = new(StringComparer.Ordinal);
        private (int Count, TaskCompletionSource Reached)? _awaited;

        internal IReadOnlyCollection<string> Ids
        {
            get
            {
                lock (_gate) return [.. _ids];
            }
        }

        /// <summary>Adds a command.</summary>
        /// <returns>False where it was there already.</returns>
        internal bool Add(string commandId)
        {
            lock (_gate)
            {
                if (!_ids.Add(commandId)) return false;
                if (_awaited is { } awaited && _ids.Count >= awaited.Count) awaited.Reached.TrySetResult();
                return true;
            }
        }

        /// <summary>Completes when so many more have been added.</summary>
        internal Task MoreAsync(int count)
        {
            if (count == 0) return Task.CompletedTask;
            lock (_gate)
            {
                var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                _awaited = (_ids.Count + count, reached);
                return reached.Task;
            }
        }
    }
}
