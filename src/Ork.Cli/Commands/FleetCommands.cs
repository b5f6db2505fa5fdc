using System.CommandLine;
using System.Text.Json;
using Ork.Client;
using Spectre.Console;

namespace Ork.Cli.Commands;

/// <summary><c>ork workers</c>, <c>devices</c>, <c>telemetry</c> and <c>state</c>.</summary>
internal static class FleetCommands
{
    internal static Command Workers()
    {
        var kernel = new KernelOptionsSet();
        var command = kernel.AddTo(new Verb("workers", "List all Workers with their health and queues.").WithExample("ork workers", "ork workers --json"));
        command.SetAction((parsed, _) => kernel.AskAsync(parsed, async (client, output, cancellation) =>
        {
            var fleet = await client.WorkersAsync(cancellation: cancellation);
            output.Write(fleet.Workers, console => console.Write(Table(fleet)));
            return ExitCode.Done;
        }));
        return command;
    }

    internal static Command Devices()
    {
        var kernel = new KernelOptionsSet();
        var worker = new Option<string?>("--worker") { Description = "Only the devices of this Worker." };
        var command = kernel.AddTo(new Verb("devices", "List all devices and their Workers.") { worker }.WithExample("ork devices", "ork devices --worker sim-001"));
        command.SetAction((parsed, _) => kernel.AskAsync(parsed, async (client, output, cancellation) =>
        {
            var fleet = await client.WorkersAsync(devices: true, parsed.GetValue(worker), cancellation);
            var devices = fleet.Workers.SelectMany(owner => owner.Devices.Select(deviceId => new { deviceId, owner.WorkerId, owner.State, owner.Health })).ToArray();
            output.Write(devices, console =>
            {
                var table = new Table().Border(TableBorder.Simple).AddColumns("Device", "Worker", "State", "Health");
                foreach (var device in devices) table.AddRow(device.deviceId.EscapeMarkup(), device.WorkerId.EscapeMarkup(), device.State, Colour(device.Health));
                console.Write(table);
                console.WriteLine($"{devices.Length} devices");
            });
            return ExitCode.Done;
        }));
        return command;
    }

    internal static Command Telemetry()
    {
        var kernel = new KernelOptionsSet();
        var device = new Argument<string>("DEVICE") { Description = "The device." };
        var type = new Option<string>("--type") { Description = "The query's type.", DefaultValueFactory = _ => "metrics" };
        var command = kernel.AddTo(new Verb("telemetry", "Ask a device's Worker for telemetry.") { device, type }.WithExample("ork telemetry wm-001-0001 --type metrics"));
        command.SetAction((parsed, _) => kernel.AskAsync(parsed, async (client, output, cancellation) =>
            Print(output, await client.TelemetryAsync(parsed.GetRequiredValue(device), new { type = parsed.GetValue(type) }, cancellation))));
        return command;
    }

    internal static Command State()
    {
        var kernel = new KernelOptionsSet();
        var device = new Argument<string>("DEVICE") { Description = "The device." };
        var command = kernel.AddTo(new Verb("state", "Ask a device's Worker for the device's state.") { device }.WithExample("ork state wm-001-0001"));
        command.SetAction((parsed, _) => kernel.AskAsync(parsed, async (client, output, cancellation) =>
            Print(output, await client.StateAsync(parsed.GetRequiredValue(device), cancellation))));
        return command;
    }

    /// <summary>The table of Workers, for this command and for <c>ork top</c>.</summary>
    internal static Table Table(FleetView fleet, int most = int.MaxValue)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumns("Worker", "State", "Health", "Circuit", "Link", "Family");
        foreach (var name in new[] { "Devices", "Queued", "In flight" }) table.AddColumn(new TableColumn(name).RightAligned());
        foreach (var worker in fleet.Workers.Take(most))
        {
            table.AddRow(
                worker.WorkerId.EscapeMarkup(), worker.State, Colour(worker.Health), Circuit(worker), worker.Linked ? (worker.Endpoint ?? "").EscapeMarkup() : "[grey]none[/]",
                (worker.DeviceFamily ?? "").EscapeMarkup(), $"{worker.DeviceCount}", $"{worker.Queued}", $"{worker.InFlight}");
        }

        if (fleet.Workers.Count > most) table.AddRow($"[grey]and {fleet.Workers.Count - most} more[/]");
        return table;
    }

    private static string Circuit(WorkerView worker) => (worker.Hold, worker.Circuit) switch
    {
        ("open", _) => "[red]isolated[/]",
        ("closed", _) => "[yellow]held closed[/]",
        (_, "Closed") => "[grey]closed[/]",
        (_, "HalfOpen") => $"[yellow]half-open ({worker.CircuitOpens})[/]",
        _ => $"[red]open ({worker.CircuitOpens})[/]",
    };

    private static string Colour(string health) => health switch
    {
        "Healthy" => "[green]Healthy[/]",
        "Sick" => "[yellow]Sick[/]",
        "Dead" => "[red]Dead[/]",
        _ => $"[grey]{health.EscapeMarkup()}[/]",
    };

    private static int Print(Output output, JsonElement payload)
    {
        output.Write(payload, console => console.WriteLine(JsonSerializer.Serialize(payload, Indented)));
        return ExitCode.Done;
    }

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };
}
