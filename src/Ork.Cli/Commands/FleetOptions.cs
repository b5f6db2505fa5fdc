using System.CommandLine;
using Ork.Client;
using Ork.Protocol;
using Spectre.Console;

namespace Ork.Cli.Commands;

/// <summary>What turns <c>ork command send</c> into an order for many devices, and its run: live progress, a summary, each device's outcome on request.</summary>
internal sealed class FleetOptions
{
    private readonly Option<string?> _worker = new("--worker") { Description = "To every device of this Worker, each as a command of its own." };
    private readonly Option<string?> _family = new("--family") { Description = "To every device of this family." };
    private readonly Option<bool> _all = new("--all") { Description = "To every device there is." };
    private readonly Option<bool> _list = new("--list") { Description = "List each device's outcome, not only those that did not succeed." };
    private readonly Option<int> _inFlight = new("--in-flight") { Description = "Devices under way at once.", DefaultValueFactory = _ => 512 };

    internal Verb AddTo(Verb verb)
    {
        foreach (var option in new Option[] { _worker, _family, _all, _list, _inFlight }) verb.Add(option);
        return verb;
    }

    internal bool IsMeant(ParseResult parsed) => parsed.GetValue(_all) || parsed.GetValue(_worker) is not null || parsed.GetValue(_family) is not null;

    /// <summary>What is wrong with the words given, or null.</summary>
    internal string? Problem(ParseResult parsed, int words)
    {
        if (IsMeant(parsed) && words != 1) return "With --worker, --family or --all give the command's name only.";
        if (parsed.GetValue(_inFlight) < 1) return "--in-flight must be 1 or more.";
        return !IsMeant(parsed) && words != 2 ? "Give a device and the command's name, or --worker, --family or --all and the name." : null;
    }

    internal async Task<int> RunAsync(ParseResult parsed, OrkClient client, Output output, FleetOrder order, CancellationToken cancellation)
    {
        var devices = await client.FindDevicesAsync(parsed.GetValue(_worker), parsed.GetValue(_family), cancellation);
        if (devices.Count == 0) return output.Fail(ErrorCodes.DeviceNotFound.Code, "No device is meant: see 'ork devices'.");
        order = order with { DeviceIds = devices, InFlight = parsed.GetValue(_inFlight) };
        output.Say($"{order.Command} to {devices.Count} devices, as {order.Key}");
        var begun = TimeProvider.System.GetTimestamp();
        var running = client.SendToFleetAsync(order, out var run, cancellation);
        var interrupted = false;
        try
        {
            await WithProgressAsync(output, run, running);
        }
        catch (OperationCanceledException)
        {
            interrupted = true;
        }

        Show(output, order, run, TimeProvider.System.GetElapsedTime(begun), parsed.GetValue(_list));
        if (interrupted || run.Ended < run.Devices)
        {
            var why = interrupted ? "Interrupted. " : "";
            output.Say($"{why}What was accepted goes on. To learn how, and to go on with the rest: repeat the command with --idempotency-key {order.Key}");
        }

        return run.Succeeded == run.Devices ? ExitCode.Done : ExitCode.Failed;
    }

    private static async Task WithProgressAsync(Output output, FleetRun run, Task running)
    {
        if (output.IsJson || Console.IsOutputRedirected)
        {
            await running;
            return;
        }

        await AnsiConsole.Progress().Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new ElapsedTimeColumn())
            .StartAsync(async progress =>
            {
                var accepted = progress.AddTask("accepted", maxValue: run.Devices);
                var ended = progress.AddTask("ended", maxValue: run.Devices);
                do
                {
                    await Task.WhenAny([running, Task.Delay(100)]);
                    (accepted.Value, ended.Value) = (run.Accepted, run.Ended);
                    accepted.Description = $"accepted {run.Accepted,7}";
                    ended.Description = $"ended    {run.Ended,7}  [green]{run.Succeeded} succeeded[/] [red]{run.Failed + run.Refused} not[/]";
                }
                while (!running.IsCompleted);
                await running;
            });
    }

    private static void Show(Output output, FleetOrder order, FleetRun run, TimeSpan elapsed, bool list)
    {
        var outcomes = run.Outcomes.OrderBy(outcome => outcome.DeviceId, StringComparer.Ordinal).ToArray();
        var shown = outcomes.Where(outcome => list || outcome.Status != CommandStatus.Success)
            .Select(outcome => new { outcome.DeviceId, outcome.CommandId, status = CommandWords.Of(outcome.Status), outcome.Error, outcome = CommandWords.Of(outcome.Outcome) }).ToArray();
        var seconds = Math.Round(elapsed.TotalSeconds, 2);
        var errors = outcomes.Where(outcome => outcome.Error is not null).GroupBy(outcome => outcome.Error!).OrderByDescending(group => group.Count())
            .ToDictionary(group => group.Key, group => group.Count());
        output.Write(new { order.Key, order.Command, run.Devices, run.Accepted, run.Succeeded, run.Failed, run.Refused, unknown = run.Devices - run.Ended, seconds, errors, outcomes = shown }, console =>
        {
            if (shown.Length > 0)
            {
                const int most = 50;
                var table = new Table().Border(TableBorder.Simple).AddColumns("Device", "Status", "Error", "Outcome", "Command");
                foreach (var row in shown.Take(list ? shown.Length : most))
                {
                    table.AddRow(row.DeviceId.EscapeMarkup(), row.status, (row.Error ?? "").EscapeMarkup(), row.outcome ?? "", row.CommandId ?? "");
                }

                console.Write(table);
                if (!list && shown.Length > most) console.WriteLine($"and {shown.Length - most} more; --list shows all");
            }

            console.MarkupLineInterpolated($"{run.Devices} devices: [green]{run.Succeeded} succeeded[/], [red]{run.Failed} failed, {run.Refused} refused[/], {run.Devices - run.Ended} not known yet, in {seconds} s");
            foreach (var (error, count) in errors) console.MarkupLineInterpolated($"  [grey]{count} {error}[/]");
        });
    }
}
