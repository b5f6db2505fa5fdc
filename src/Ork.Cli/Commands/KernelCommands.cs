using System.CommandLine;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Ork.Cli.Hosting;
using Ork.Kernel;
using Ork.Protocol;
using Ork.Storage.Sqlite;
using Spectre.Console;

namespace Ork.Cli.Commands;

/// <summary><c>ork kernel run</c>, <c>ork kernel config</c> and <c>ork kernel supersede</c>.</summary>
internal static class KernelCommands
{
    // More than anybody restarts a kernel; and far from where the epoch ends after any number of them.
    private const long DefaultRaise = 1_000_000;
    private const long MostRaise = 1_000_000_000_000;

    private static readonly Option<string?> Config = new("--config") { Description = "Configuration file, JSON. What it does not say keeps its default." };
    private static readonly Option<string?> Data = new("--data") { Description = "Data directory; overrides the configuration." };
    private static readonly Option<string[]> Listen = new("--listen")
    {
        Description = "Endpoint for callers; may be repeated (default: unix:DATA/ork.sock).",
        AllowMultipleArgumentsPerToken = false,
    };

    private static readonly Option<string[]> WorkersListen = new("--workers-listen")
    {
        Description = "Endpoint for Workers that announce themselves; may be repeated (default: unix:DATA/workers.sock).",
    };

    private static readonly Option<bool> AllowAny = new("--allow-any") { Description = "Let any key connect over TCP." };
    private static readonly Option<bool> Insecure = Shared.Insecure();
    private static readonly Option<LogLevel?> Level = new("--log-level") { Description = "Least log level shown." };
    private static readonly Option<bool> Json = Shared.Json();

    internal static Command Create()
    {
        var run = new Verb("run", "Run a kernel until SIGTERM, which drains it.").WithExample(
            "ork kernel run", "ork kernel run --data /var/lib/ork --listen tcp://0.0.0.0:7420 --config /etc/ork.json");
        var config = new Verb("config", "Print the configuration as it would be used.").WithExample("ork kernel config --config ork.json");
        foreach (var command in new[] { run, config })
        {
            foreach (var option in new Option[] { Config, Data, Listen, WorkersListen, AllowAny, Insecure, Level, Json }) command.Add(option);
        }

        run.SetAction((parsed, _) => RunAsync(parsed));
        config.SetAction(Print);
        return new Verb("kernel", "Run a kernel, show how it would run, or make it newer than those before it.") { run, config, Superseding() }.WithExample("ork kernel run");
    }

    private static Verb Superseding()
    {
        var data = Shared.Data();
        var by = new Option<long>("--by") { Description = "By how much the epoch is raised: more than kernels were started since.", DefaultValueFactory = _ => DefaultRaise };
        by.Validators.Add(static given =>
        {
            if (given.GetValueOrDefault<long>() is < 1 or > MostRaise) given.AddError($"--by is from 1 to {MostRaise}.");
        });
        var supersede = new Verb(
            "supersede",
            "Make this data directory's kernel newer than every one that ran before: after its data were restored from a backup or lost, when Workers refuse its commands with "
            + "ERR_STALE_EPOCH. The kernel must be stopped, and no other may still run. What was accepted since the backup is not known to it.")
        {
            data, by, Json,
        }.WithExample("ork kernel supersede --data /var/lib/ork");
        supersede.SetAction((parsed, _) => SupersedeAsync(parsed.GetValue(data)!, parsed.GetValue(by), new Output(parsed.GetValue(Json))));
        return supersede;
    }

    private static async Task<int> SupersedeAsync(string data, long by, Output output)
    {
        try
        {
            var (before, after) = await new SqliteKernelStoreOpener(Path.GetFullPath(data)).SupersedeAsync(by);
            output.Write(new { before, after }, console => console.WriteLine($"The epoch was {before} and is {after}: the next kernel on {Path.GetFullPath(data)} is newer than those before it."));
            return ExitCode.Done;
        }
        catch (StoreException e)
        {
            return output.Fail(e.Refusal, e.Message);
        }
    }

    private static async Task<int> RunAsync(ParseResult parsed)
    {
        var output = new Output(parsed.GetValue(Json));
        return Effective(parsed, output) is { } config ? await KernelProcess.RunAsync(config, output) : ExitCode.BadUsage;
    }

    private static int Print(ParseResult parsed)
    {
        var output = new Output(parsed.GetValue(Json));
        if (Effective(parsed, output) is not { } config) return ExitCode.BadUsage;
        Console.Out.WriteLine(JsonSerializer.Serialize(config, KernelConfig.Json));
        return ExitCode.Done;
    }

    private static KernelConfig? Effective(ParseResult parsed, Output output)
    {
        try
        {
            var config = parsed.GetValue(Config) is { } path ? KernelConfig.Load(path) : new KernelConfig();
            if (parsed.GetValue(Data) is { } data) config = config with { Data = data };
            config = config with { Data = Path.GetFullPath(config.Data) };
            if (parsed.GetValue(Listen) is { Length: > 0 } listen) config = config with { Listen = listen };
            if (parsed.GetValue(WorkersListen) is { Length: > 0 } workers) config = config with { WorkersListen = workers };
            if (config.Listen.Count == 0) config = config with { Listen = [Defaults.CallerEndpoint(config.Data)] };
            if (config.WorkersListen.Count == 0) config = config with { WorkersListen = [Defaults.WorkerEndpoint(config.Data)] };
            if (parsed.GetValue(AllowAny)) config = config with { AllowAny = true };
            if (parsed.GetValue(Insecure)) config = config with { Insecure = true };
            if (parsed.GetValue(Level) is { } level) config = config with { Log = config.Log with { Level = level } };
            return config.Validated();
        }
        catch (ConfigException e)
        {
            output.Fail(ErrorCodes.ConfigInvalid.Code, $"{ErrorCodes.ConfigInvalid.Code}: {e.Message}");
            return null;
        }
    }
}
