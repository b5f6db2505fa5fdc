using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ork.Client;
using Ork.Protocol;
using Spectre.Console;

namespace Ork.Cli.Commands;

/// <summary><c>ork command send</c>, <c>status</c>, <c>wait</c> and <c>cancel</c>.</summary>
internal static class CommandCommands
{
    internal static Command Create() => new Verb("command", "Send commands to devices and follow them.")
    {
        Send(),
        ById("status", "Show how a command stands.", (client, id, cancellation) => client.StatusAsync(id, 0, cancellation)),
        ById("wait", "Wait for a command's end. Exits 1 if it failed.", (client, id, cancellation) => client.WaitAsync(id, cancellation)),
        Cancel(),
    }.WithExample("ork command send wm-001-0001 reboot --wait");

    private static Command Send()
    {
        var kernel = new KernelOptionsSet();
        var words = new Argument<string[]>("DEVICE NAME")
        {
            Description = "The device (with --scope worker or rack, the Worker), then the command's name; only the name with --worker, --family or --all.",
            Arity = new ArgumentArity(1, 2),
        };
        var param = new Option<string[]>("--param", "-p") { Description = "A parameter, key=value; numbers, true and false are taken as such. May be repeated." };
        var wait = new Option<bool>("--wait") { Description = "Wait for the command's end. Exits 1 if it failed." };
        var key = new Option<string?>("--idempotency-key") { Description = "Name this request: repeating it gives the first command, never a second one." };
        var deadline = new Option<long?>("--deadline") { Description = "Milliseconds within which the command must have been sent." };
        var scope = new Option<CommandScope>("--scope") { Description = "device, worker or rack.", DefaultValueFactory = _ => CommandScope.Device };
        var target = new Option<string[]>("--target") { Description = "A device meant by scope worker or rack. May be repeated; default: all of the Worker's." };
        var priority = new Option<CommandPriority>("--priority") { Description = "normal, or urgent: ahead of everything in line at its devices that is not." };
        var fleet = new FleetOptions();
        var command = fleet.AddTo(kernel.AddTo(new Verb("send", "Send a command, to one device or to many.") { words, param, wait, key, deadline, scope, target, priority }.WithExample(
            "ork command send wm-001-0001 set-power-pct --param pct=80 --wait", "ork command send sim-001 set-led --scope worker --param on=true",
            "ork command send --all set-power-mode --param mode=sleep --priority urgent")));
        command.SetAction(async (parsed, _) =>
        {
            if (ParseParams(parsed.GetValue(param) ?? []) is not { } parameters)
            {
                await Console.Error.WriteLineAsync("--param needs key=value.");
                return ExitCode.BadUsage;
            }

            var given = parsed.GetRequiredValue(words);
            if (fleet.Problem(parsed, given.Length) is { } problem)
            {
                await Console.Error.WriteLineAsync(problem);
                return ExitCode.BadUsage;
            }

            if (fleet.IsMeant(parsed))
            {
                return await kernel.AskAsync(parsed, (client, output, cancellation) => fleet.RunAsync(parsed, client, output, new FleetOrder
                {
                    Command = given[0],
                    Key = parsed.GetValue(key) ?? $"fleet-{Guid.CreateVersion7():n}",
                    DeviceIds = [],
                    Params = parameters,
                    Priority = parsed.GetValue(priority),
                    DeadlineMs = parsed.GetValue(deadline),
                }, cancellation));
            }

            var isDevice = parsed.GetValue(scope) == CommandScope.Device;
            var order = new CommandOrder
            {
                Command = given[1],
                DeviceId = isDevice ? given[0] : null,
                WorkerId = isDevice ? null : given[0],
                Scope = parsed.GetValue(scope),
                Targets = parsed.GetValue(target) is { Length: > 0 } targets ? targets : null,
                Params = parameters,
                Priority = parsed.GetValue(priority),
                IdempotencyKey = parsed.GetValue(key),
                DeadlineMs = parsed.GetValue(deadline),
            };
            return await kernel.AskAsync(parsed, async (client, output, cancellation) =>
            {
                var receipt = await client.SendAsync(order, cancellation);
                if (parsed.GetValue(wait))
                {
                    output.Say($"{receipt.CommandId} {CommandWords.Of(receipt.Status)}");
                    return Show(output, await client.WaitAsync(receipt.CommandId, cancellation));
                }

                output.Write(new { receipt.CommandId, status = CommandWords.Of(receipt.Status) }, console => console.WriteLine($"{receipt.CommandId} {CommandWords.Of(receipt.Status)}"));
                return ExitCode.Done;
            });
        });
        return command;
    }

    private static Command ById(string verb, string description, Func<OrkClient, string, CancellationToken, Task<CommandView>> ask)
    {
        var kernel = new KernelOptionsSet();
        var id = new Argument<string>("ID") { Description = "The command's id." };
        var command = kernel.AddTo(new Verb(verb, description) { id }.WithExample($"ork command {verb} 019a7c9e-5f6a-7c11-8c1d-2f1f0a3b9b11"));
        command.SetAction((parsed, _) => kernel.AskAsync(parsed, async (client, output, cancellation) =>
        {
            var exit = Show(output, await ask(client, parsed.GetRequiredValue(id), cancellation));
            return verb == "wait" ? exit : ExitCode.Done;
        }));
        return command;
    }

    private static Command Cancel()
    {
        var kernel = new KernelOptionsSet();
        var id = new Argument<string>("ID") { Description = "The command's id." };
        var command = kernel.AddTo(new Verb("cancel", "Cancel a command. Exits 1 if it could no longer be cancelled.") { id }
            .WithExample("ork command cancel 019a7c9e-5f6a-7c11-8c1d-2f1f0a3b9b11"));
        command.SetAction((parsed, _) => kernel.AskAsync(parsed, async (client, output, cancellation) =>
        {
            var view = await client.CancelAsync(parsed.GetRequiredValue(id), cancellation);
            output.Write(new { view.Cancelled, view.Stopped, status = CommandWords.Of(view.Status) }, console => console.WriteLine(
                view.Cancelled ? "Cancelled: no Worker began it, and none will."
                : view.Stopped ? $"A Worker may have begun it: no further attempt will be made ({CommandWords.Of(view.Status)})."
                : $"Already ended: {CommandWords.Of(view.Status)}."));
            return view.Cancelled ? ExitCode.Done : ExitCode.Failed;
        }));
        return command;
    }

    private static int Show(Output output, CommandView view)
    {
        var shown = new
        {
            view.CommandId,
            status = CommandWords.Of(view.Status),
            view.Command,
            view.DeviceId,
            view.WorkerId,
            view.Scope,
            view.Attempt,
            view.Retries,
            result = view.Result.ValueKind == JsonValueKind.Undefined ? (JsonElement?)null : view.Result,
            view.Error,
            outcome = CommandWords.Of(view.Outcome),
            view.CreatedAt,
            view.UpdatedAt,
        };
        output.Write(shown, console =>
        {
            var colour = view.Status == CommandStatus.Success ? "green" : view.Status == CommandStatus.Failed ? "red" : "yellow";
            console.MarkupLineInterpolated($"[{colour}]{CommandWords.Of(view.Status)}[/] {view.Command} on {view.DeviceId ?? view.WorkerId} ({view.CommandId})");
            if (view.Error is not null) console.MarkupLineInterpolated($"  error    {view.Error} {ErrorCodes.SentenceOf(view.Error) ?? ""}");
            if (view.Outcome != CommandOutcome.None) console.MarkupLineInterpolated($"  outcome  {CommandWords.Of(view.Outcome)}");
            if (view.Result.ValueKind != JsonValueKind.Undefined) console.MarkupLineInterpolated($"  result   {view.Result.GetRawText()}");
            console.MarkupLineInterpolated($"  attempt  {view.Attempt}, retries {view.Retries}, {view.UpdatedAt - view.CreatedAt} ms after acceptance");
        });
        return view.Status == CommandStatus.Failed ? ExitCode.Failed : ExitCode.Done;
    }

    /// <summary>Reads <c>key=value</c> pairs; a value that is JSON is taken as such, anything else as a string.</summary>
    internal static JsonObject? ParseParams(IEnumerable<string> pairs)
    {
        var parameters = new JsonObject();
        foreach (var pair in pairs)
        {
            var equals = pair.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0) return null;
            var text = pair[(equals + 1)..];
            try
            {
                parameters[pair[..equals]] = JsonNode.Parse(text);
            }
            catch (JsonException)
            {
                parameters[pair[..equals]] = text;
            }
        }

        return parameters;
    }
}
