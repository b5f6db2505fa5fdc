using System.Text.Json;
using System.Text.Json.Serialization;
using Ork.Client;
using Ork.Protocol;
using Spectre.Console;

namespace Ork.Cli;

/// <summary>What every command ends with.</summary>
internal static class ExitCode
{
    /// <summary>Done.</summary>
    internal const int Done = 0;

    /// <summary>Failed.</summary>
    internal const int Failed = 1;

    /// <summary>Bad usage.</summary>
    internal const int BadUsage = 2;

    /// <summary>A simulation was not deterministic.</summary>
    internal const int NotDeterministic = 3;
}

/// <summary>Results for a person or, with <c>--json</c>, for a machine: one JSON value on standard output. Errors go to standard error.</summary>
/// <param name="json">True for machines.</param>
internal sealed class Output(bool json)
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Converters = { new JsonStringEnumConverter() },
        DefaultIgnoreCondition = JsonIgnoreCondition.Never,
    };

    internal bool IsJson => json;

    private static IAnsiConsole Errors { get; } = CreateErrors();

    private static IAnsiConsole CreateErrors()
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        if (Console.IsErrorRedirected) console.Profile.Width = Program.PipeWidth;
        return console;
    }

    /// <summary>Writes a result, as JSON or as the text the second argument makes.</summary>
    internal void Write(object value, Action<IAnsiConsole> forPeople)
    {
        if (json) Console.Out.WriteLine(JsonSerializer.Serialize(value, Options));
        else forPeople(AnsiConsole.Console);
    }

    /// <summary>A line for a person beside the result: on standard error, and not with <c>--json</c>.</summary>
    internal void Say(string text)
    {
        if (!json) Errors.WriteLine(text);
    }

    /// <summary>Writes a failure.</summary>
    internal int Fail(Refusal refusal, string message) => Fail(refusal.Text, message);

    /// <summary>Writes a failure.</summary>
    internal int Fail(string error, string message)
    {
        if (json) Console.Out.WriteLine(JsonSerializer.Serialize(new { error, message }, Options));
        else Errors.MarkupLineInterpolated($"[red]{message}[/]");
        return ExitCode.Failed;
    }

    /// <summary>Runs something that asks a kernel; a refusal becomes a failure.</summary>
    internal async Task<int> GuardAsync(Func<Task<int>> run)
    {
        try
        {
            return await run();
        }
        catch (OrkRefusedException e)
        {
            return Fail(e.Error, e.Message);
        }
        catch (LinkException e)
        {
            return Fail(e.Refusal, e.Message);
        }
        catch (OperationCanceledException)
        {
            return Fail("CANCELLED", "Interrupted.");
        }
    }
}
