using Microsoft.Coyote.Random;
using Ork.Client;
using Ork.Kernel;
using Ork.Protocol;
using OrkSim;
using static Microsoft.Coyote.Specifications.Specification;

namespace Ork.Coyote.Tests;

/// <summary>The concurrent shell around the core: what no turn can order, in every order.</summary>
public sealed class ShellTests
{
    [Fact]
    public void A_session_hands_on_one_answer_a_question_and_ends_once_whatever_the_Worker_sends() => Exploration.Explore(
        async () =>
        {
            var chance = Generator.Create();
            var network = new MemoryNetwork();
            var listener = network.As("kernel").Listen(Shell.Workers, Audience.Workers);
            var accepting = listener.AcceptAsync().AsTask();
            var far = await network.As("w1").ConnectAsync(Shell.Workers, null, CancellationToken.None);
            var near = (await accepting)!;
            var inbox = new Mailbox<Input>(limit: 2);
            var session = new WorkerSession(1, near, new LinkGreeting("w1", near.Peer, null), inbox, new SilentObserver());
            var misbehaved = false;

            async Task AnswerAsync()
            {
                for (var i = 0; i < 3 && await far.ReceiveAsync() is { } request; i++)
                {
                    var way = chance.NextInteger(5);
                    if (way > 0) far.Send(FrameKind.Response, request.Correlation, "{}"u8);
                    if (way == 2) far.Send(FrameKind.Response, request.Correlation, "{}"u8);
                    if (way == 3) far.Send(FrameKind.Response, request.Correlation + 50, "{}"u8);
                    if (way == 4) far.Send(FrameKind.Request, 9, "{}"u8);
                    misbehaved |= way > 1;
                    await Task.Yield();
                }

                far.Close(null);
            }

            async Task AskAsync()
            {
                for (ulong i = 1; i <= 3; i++)
                {
                    session.Send(FrameKind.Request, i, "{}"u8);
                    session.Flush();
                    await Task.Yield();
                }
            }

            var tasks = new[] { Task.Run(session.RunAsync), Task.Run(AnswerAsync), Task.Run(AskAsync) };
            var heard = new List<Input>();
            while (heard.Count == 0 || heard[^1].Kind != InputKind.LinkDown)
            {
                Assert(await inbox.WaitAsync(), "the inbox is closed");
                inbox.Take(heard, 1);
            }

            await Task.WhenAll(tasks);
            Assert(heard[0].Kind == InputKind.LinkUp, "not up first");
            Assert(heard.Count(input => input.Kind == InputKind.LinkUp) == 1, "up twice");
            Assert(heard.Count(input => input.Kind == InputKind.LinkDown) == 1, "down twice");
            var answers = heard.Where(input => input.Kind == InputKind.WorkerAnswer).Select(input => input.Frame.Correlation).ToArray();
            Assert(answers.Distinct().Count() == answers.Length, "a question was answered twice");
            Assert(answers.All(correlation => correlation is >= 1 and <= 3), "an answer to nothing got through");
            Assert(misbehaved || near.CloseReason is null, "an honest Worker's link was closed for a reason");
        },
        600);

    [Fact]
    public void A_kernel_stops_while_Workers_come_and_go_and_its_store_is_free_afterwards() => Exploration.Explore(
        async () =>
        {
            var shell = new Shell();
            await shell.StartKernelAsync();

            async Task ComeAndGoAsync()
            {
                for (var i = 0; i < 2; i++)
                {
                    try
                    {
                        var link = await shell.Network.As("w9").ConnectAsync(Shell.Workers, null, CancellationToken.None);
                        link.Send(FrameKind.Hello, 0, new Greeting(Greeting.Worker, "w9").ToBytes());
                        await Task.Yield();
                        link.Close(null);
                    }
                    catch (LinkException)
                    {
                        return;
                    }
                }
            }

            var coming = Task.Run(ComeAndGoAsync);
            await Task.Yield();
            await shell.EndAsync();
            await coming;
            await using var free = await shell.Disk.OpenAsync();
        },
        200);

    [Fact]
    public void A_command_that_was_cancelled_in_time_is_never_carried_out() => Exploration.Explore(
        async () =>
        {
            var shell = new Shell();
            await shell.StartKernelAsync();
            shell.StartWorker();
            await using var client = shell.NewClient();
            var receipt = await Shell.SendAsync(client, new CommandOrder { Command = "reboot", DeviceId = "d1", IdempotencyKey = "k" });
            var waiting = Task.Run(() => client.WaitAsync(receipt.CommandId));
            var cancel = await client.CancelAsync(receipt.CommandId);
            var end = await waiting;
            Assert(end.IsTerminal, $"{end.Status}");
            Assert(!cancel.Cancelled || (shell.Executions == 0 && end.Error == ErrorCodes.Cancelled.Code), $"cancelled, and {end.Status} after {shell.Executions} executions");
            Assert(end.Status != CommandStatus.Success || shell.Executions == 1, $"{end.Status} after {shell.Executions} executions");
            await shell.EndAsync();
        },
        40);

    [Fact]
    public void What_was_accepted_while_commits_fail_is_in_the_store() => Exploration.Explore(
        async () =>
        {
            var chance = Generator.Create();
            var shell = new Shell();
            await shell.StartKernelAsync();
            shell.StartWorker();
            await using var client = shell.NewClient();
            var sending = Task.Run(() => Shell.SendAsync(client, new CommandOrder { Command = "set-led", DeviceId = "d1", IdempotencyKey = "k" }));
            await Task.Yield();
            shell.Disk.FailNextCommit(chance.NextBoolean() ? CommitFault.BeforeApply : CommitFault.AfterApply);
            var receipt = await sending;
            Assert(shell.Disk.Commands.Any(row => row.Spec.CommandId == receipt.CommandId), "an accepted command is not in the store");
            Assert(shell.Disk.Commands.Count(row => row.Spec.IdempotencyKey == "k") == 1, "one key, two commands");
            var end = await client.WaitAsync(receipt.CommandId);
            Assert(end.IsTerminal, $"{end.Status}");
            await shell.EndAsync();
        },
        40);

    [Fact]
    public void A_graceful_stop_leaves_every_command_ended_or_for_the_next_start_to_decide() => Exploration.Explore(
        async () =>
        {
            var shell = new Shell();
            await shell.StartKernelAsync();
            shell.StartWorker();
            await using var client = shell.NewClient();
            await Shell.SendAsync(client, new CommandOrder { Command = "reboot", DeviceId = "d1", IdempotencyKey = "k" });
            await shell.EndAsync();
            var row = shell.Disk.Commands.Single();
            Assert(row.State is CommandState.Queued or CommandState.Timeout or CommandState.Success or CommandState.Failed, $"left in {row.State}");
            Assert(row.State != CommandState.Success || shell.Executions == 1, "success of what nobody did");
        },
        40);
}
