using System.CommandLine;
using Ork.Cli.Commands;
using Spectre.Console;

namespace Ork.Cli;

internal static class Program
{
    /// <summary>Columns of a line that goes to no terminal.</summary>
    internal const int PipeWidth = 4_096;

    private static async Task<int> Main(string[] args)
    {
        // Into a pipe or a file, lines are as long as they are: whoever reads them wraps them.
        if (Console.IsOutputRedirected) AnsiConsole.Profile.Width = PipeWidth;
        var root = new RootCommand("Ork: an orchestration kernel for fleets of devices.\n\nExample:\n  ork demo");
        root.Add(KernelCommands.Create());
        root.Add(WorkerCommands.Create());
        root.Add(FleetCommands.Workers());
        root.Add(FleetCommands.Devices());
        root.Add(FleetCommands.Telemetry());
        root.Add(FleetCommands.State());
        root.Add(CommandCommands.Create());
        root.Add(KeysCommands.Create());
        root.Add(TopCommand.Create());
        root.Add(DemoCommand.Create());
        root.Add(SimCommands.Create());
        var parsed = root.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors) await Console.Error.WriteLineAsync(error.Message);
            await Console.Error.WriteLineAsync($"Try 'ork {string.Join(' ', parsed.CommandResult.Path())} --help'.".Replace("  ", " "));
            return ExitCode.BadUsage;
        }

        if (parsed.CommandResult.Command is Verb verb) verb.ShowExamples();

        // Long-running commands handle their signals themselves.
        return await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
    }
}
