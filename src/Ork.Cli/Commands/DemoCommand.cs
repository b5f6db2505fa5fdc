using System.CommandLine;
using Ork.Cli.Demo;
using Ork.Cli.Hosting;
using Ork.Protocol;
using Spectre.Console;

namespace Ork.Cli.Commands;

/// <summary><c>ork demo</c>: the main promise, shown on real processes, sockets and disk.</summary>
internal static class DemoCommand
{
    internal static Command Create()
    {
        var workers = Number("--workers", "Workers.", 20);
        var devices = Number("--devices", "Devices of each Worker.", 50);
        var commands = Number("--commands", "Commands to send.", 5_000);
        var kernelKills = Number("--kill-kernel", "Times to kill -9 the kernel in mid-flow.", 3);
        var workerKills = Number("--kill-workers", "Times to kill -9 the Worker host in mid-flow.", 3);
        var hang = Number("--hang-workers", "Workers whose devices hang for a while in mid-flow, while they answer pings.", 0);
        var inFlight = Number("--in-flight", "Commands under way at once.", 256);
        var seed = new Option<int?>("--seed") { Description = "Chooses devices, commands and moments of the kills (default: drawn)." };
        var directory = new Option<string?>("--dir") { Description = "Folder for store and logs, kept (default: a temporary one, kept only if something went wrong)." };
        var json = Shared.Json();
        var demo = new Verb("demo", "Run a kernel and Workers, kill both in mid-flow, and audit that no command was lost or doubled.")
        {
            workers, devices, commands, kernelKills, workerKills, hang, inFlight, seed, directory, json,
        }.WithExample("ork demo", "ork demo --kill-kernel 10 --kill-workers 10 --json", "ork demo --hang-workers 5");
        demo.SetAction((parsed, _) =>
        {
            var plan = new DemoPlan(
                parsed.GetValue(workers), parsed.GetValue(devices), parsed.GetValue(commands), parsed.GetValue(kernelKills), parsed.GetValue(workerKills),
                parsed.GetValue(seed) ?? Random.Shared.Next(1, 1_000_000), parsed.GetValue(inFlight), Math.Min(parsed.GetValue(hang), parsed.GetValue(workers) - 1));
            return RunAsync(plan, parsed.GetValue(directory), new Output(parsed.GetValue(json)));
        });
        return demo;
    }

    private static Option<int> Number(string name, string description, int value)
    {
        var option = new Option<int>(name) { Description = description, DefaultValueFactory = _ => value };
        option.Validators.Add(result =>
        {
            var least = name.StartsWith("--kill", StringComparison.Ordinal) || name.StartsWith("--hang", StringComparison.Ordinal) ? 0 : 1;
            if (result.Tokens.Count == 1 && int.TryParse(result.Tokens[0].Value, out var number) && number < least) result.AddError($"{name} must be {least} or more.");
        });
        return option;
    }

    private static async Task<int> RunAsync(DemoPlan plan, string? kept, Output output)
    {
        var directory = kept ?? Path.Combine(Path.GetTempPath(), $"ork-demo-{Environment.ProcessId}-{plan.Seed}");
        if (System.IO.Directory.Exists(Path.Combine(directory, "kernel")))
        {
            return output.Fail("DIRECTORY_IN_USE", $"{directory} holds an earlier demonstration; choose another --dir.");
        }

        if (LinkEndpoint.TryParse(Defaults.WorkerEndpoint(Path.Combine(directory, "kernel"))) is null)
        {
            return output.Fail(ErrorCodes.EndpointInvalid, $"{ErrorCodes.EndpointInvalid.Code}: {directory}: the paths of sockets in it would be longer than {LinkEndpoint.MaxPathBytes} bytes; choose a shorter --dir.");
        }

        System.IO.Directory.CreateDirectory(directory);
        using var interruption = Shared.Interruptible();
        try
        {
            DemoReport report;
            using (var run = new DemoRun(plan, directory))
            {
                await WithProgressAsync(plan, run, output, run.RunAsync(interruption.Token));
                report = await DemoAudit.RunAsync(plan, run);
            }

            output.Write(report, console => Show(console, plan, report));
            if (kept is null && report.Held) System.IO.Directory.Delete(directory, recursive: true);
            return report.Held && report.Accepted == plan.Commands ? ExitCode.Done : ExitCode.Failed;
        }
        catch (DemoException e)
        {
            return output.Fail("DEMO_FAILED", e.Message);
        }
        catch (OperationCanceledException)
        {
            return output.Fail("CANCELLED", $"Interrupted; what there is stands in {directory}.");
        }
    }

    private static async Task WithProgressAsync(DemoPlan plan, DemoRun run, Output output, Task running)
    {
        if (output.IsJson || Console.IsOutputRedirected)
        {
            await running;
            return;
        }

        await AnsiConsole.Progress().Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new SpinnerColumn())
            .StartAsync(async progress =>
            {
                var accepted = progress.AddTask("accepted", maxValue: plan.Commands);
                var ended = progress.AddTask("ended", maxValue: plan.Commands);
                while (!running.IsCompleted)
                {
                    accepted.Value = run.Progress.Accepted;
                    ended.Value = run.Progress.Ended;
                    accepted.Description = $"accepted {run.Progress.Accepted,6}";
                    ended.Description = $"ended    {run.Progress.Ended,6}  [grey]{run.Progress.Phase}, {run.RecoveryMs.Count} of {plan.KernelKills + plan.WorkerKills} kills survived[/]";
                    await Task.WhenAny([running, Task.Delay(100)]);
                }

                await running;
                (accepted.Value, ended.Value) = (run.Progress.Accepted, run.Progress.Ended);
            });
    }

    private static void Show(IAnsiConsole console, DemoPlan plan, DemoReport report)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumn("").AddColumn(new TableColumn("").RightAligned()).HideHeaders();
        table.AddRow("accepted", $"{report.Accepted} of {plan.Commands}");
        table.AddRow("succeeded", $"{report.Succeeded}");
        table.AddRow("failed, with an honest reason", $"{report.Failed}");
        foreach (var (code, count) in report.Failures) table.AddRow($"  [grey]{code.EscapeMarkup()}[/]", $"[grey]{count}[/]");
        table.AddRow("lost", Verdict(report.Lost));
        table.AddRow("executed twice", Verdict(report.ExecutedTwice));
        table.AddRow("false success", Verdict(report.FalseSuccess));
        table.AddRow("[grey]repeated, declared safe to repeat[/]", $"[grey]{report.SafeRepetitions}[/]");
        table.AddRow("kernel kills, Worker kills", $"{report.KernelKills}, {report.WorkerKills}");
        table.AddRow("recovery of each kill, ms", string.Join(" ", report.RecoveryMs));
        if (plan.HangWorkers > 0)
        {
            table.AddRow("Workers that hung, circuits opened", $"{report.HungWorkers}, {report.CircuitsOpened}");
            table.AddRow("the others meanwhile: commands served", $"{report.OthersServed}");
            table.AddRow("  99th percentile before and meanwhile, ms", $"{report.CalmP99Ms}, {report.HangP99Ms}");
        }

        table.AddRow("commands/s, kills included", $"{report.CommandsPerSecond:n0}");
        table.AddRow("wall seconds", $"{report.WallSeconds:n1}");
        table.AddRow("seed", $"{report.Seed}");
        console.Write(table);
        console.MarkupLine(report.Held ? "[green]Nothing lost, nothing doubled, nothing falsely reported.[/]" : $"[red]The promise is broken.[/] Store and logs: {report.Directory.EscapeMarkup()}");
    }

    private static string Verdict(int count) => count == 0 ? "[green]0[/]" : $"[red]{count}[/]";
}
