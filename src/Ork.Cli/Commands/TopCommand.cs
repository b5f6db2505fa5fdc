using System.CommandLine;
using System.Text.Json;
using Ork.Client;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Ork.Cli.Commands;

/// <summary><c>ork top</c>: a live view.</summary>
internal static class TopCommand
{
    internal static Command Create()
    {
        var kernel = new KernelOptionsSet();
        var interval = new Option<int>("--interval") { Description = "Milliseconds between two looks.", DefaultValueFactory = _ => 1_000 };
        var once = new Option<bool>("--once") { Description = "Look once and exit." };
        var command = kernel.AddTo(new Verb("top", "Watch Workers, health, queue depths and rates. Ctrl-C ends it.") { interval, once }.WithExample("ork top", "ork top --once --json"));
        command.SetAction((parsed, _) => kernel.AskAsync(parsed, async (client, output, cancellation) =>
        {
            var fleet = await client.WorkersAsync(cancellation: cancellation);
            if (parsed.GetValue(once) || output.IsJson || Console.IsOutputRedirected)
            {
                output.Write(new { fleet.Kernel, fleet.Workers }, console => console.Write(View(fleet, null, 0)));
                return ExitCode.Done;
            }

            await WatchAsync(client, fleet, Math.Max(100, parsed.GetValue(interval)), cancellation);
            return ExitCode.Done;
        }));
        return command;
    }

    private static async Task WatchAsync(OrkClient client, FleetView first, int intervalMs, CancellationToken cancellation)
    {
        AnsiConsole.Clear();
        await AnsiConsole.Live(View(first, null, 0)).AutoClear(false).StartAsync(async live =>
        {
            var before = first;
            var beforeAt = TimeProvider.System.GetTimestamp();
            try
            {
                while (true)
                {
                    await Task.Delay(intervalMs, cancellation);
                    var now = await client.WorkersAsync(cancellation: cancellation);
                    var seconds = TimeProvider.System.GetElapsedTime(beforeAt).TotalSeconds;
                    beforeAt = TimeProvider.System.GetTimestamp();
                    live.UpdateTarget(View(now, before, seconds));
                    before = now;
                }
            }
            catch (OperationCanceledException)
            {
                // Ctrl-C is how a live view ends.
            }
        });
    }

    private static IRenderable View(FleetView fleet, FleetView? before, double seconds)
    {
        var healthy = fleet.Workers.Count(worker => worker.Health == "Healthy");
        var sick = fleet.Workers.Count(worker => worker.Health == "Sick");
        var dead = fleet.Workers.Count(worker => worker.Health == "Dead");
        var uptime = TimeSpan.FromMilliseconds(Figure(fleet, "uptimeMs"));
        var head = new Grid().AddColumns(2);
        head.AddRow(new Text("Kernel"), new Text($"epoch {Figure(fleet, "epoch")}, up {uptime:d\\.hh\\:mm\\:ss}{(fleet.Kernel.GetProperty("draining").GetBoolean() ? ", draining" : "")}"));
        head.AddRow(new Text("Workers"), new Markup($"{fleet.Workers.Count}: [green]{healthy} healthy[/], [yellow]{sick} sick[/], [red]{dead} dead[/], {Figure(fleet, "registering")} registering; {Figure(fleet, "links")} links"));
        head.AddRow(new Text("Commands"), new Text($"{Figure(fleet, "openCommands")} open, {Figure(fleet, "inFlight")} in flight, {Figure(fleet, "settledRetained")} settled and readable"));
        head.AddRow(new Text("Rates"), new Text($"{Rate("accepted")} accepted/s, {Rate("succeeded")} succeeded/s, {Rate("failed")} failed/s"));
        var rows = Console.IsOutputRedirected ? int.MaxValue : Math.Max(5, AnsiConsole.Profile.Height - 12);
        var busiest = fleet with { Workers = [.. fleet.Workers.OrderByDescending(worker => worker.Queued + worker.InFlight).ThenBy(worker => worker.Health == "Healthy")] };
        return new Rows(head, FleetCommands.Table(busiest, rows));

        string Rate(string name) => before is null || seconds <= 0 ? "-" : $"{Math.Max(0, Figure(fleet, name) - Figure(before, name)) / seconds:n0}";
    }

    private static long Figure(FleetView fleet, string name) =>
        fleet.Kernel.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetInt64() : 0;
}
