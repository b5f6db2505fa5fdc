using System.CommandLine;
using Microsoft.Extensions.Logging;
using Ork.Cli.Authoring;
using Ork.Cli.Fleet;
using Ork.Cli.Hosting;
using Ork.Protocol;
using Ork.Worker;
using Spectre.Console;

namespace Ork.Cli.Commands;

/// <summary><c>ork worker</c>: new, sim, isolate, restore, terminate.</summary>
internal static class WorkerCommands
{
    internal static Command Create()
    {
        var count = new Option<int>("--count") { Description = "How many Workers.", DefaultValueFactory = _ => 1 };
        var devices = new Option<int>("--devices") { Description = "Devices of each Worker.", DefaultValueFactory = _ => 10 };
        var connect = new Option<string?>("--connect") { Description = "Kernel to announce to (default: unix:DATA/workers.sock)." };
        var data = Shared.Data();
        var key = Shared.KernelKey();
        var insecure = Shared.Insecure();
        var prefix = new Option<string>("--prefix") { Description = "What Worker ids begin with.", DefaultValueFactory = _ => "sim" };
        var latency = new Option<double>("--latency") { Description = "Milliseconds a quick command takes a device.", DefaultValueFactory = _ => 5 };
        var journal = new Option<string?>("--journal") { Description = "File of the command journal (default: DATA/journal-PREFIX.db)." };
        var executions = new Option<string?>("--executions") { Description = "File in which devices write down what they execute (default: none)." };
        var hanging = new Option<int>("--hang") { Description = "How many Workers, the last ones, hang while --hang-file exists: they answer pings and nothing else." };
        var hangFile = new Option<string?>("--hang-file") { Description = "The file that makes them hang (default: DATA/hang-PREFIX)." };
        var level = new Option<LogLevel>("--log-level") { Description = "Least log level shown.", DefaultValueFactory = _ => LogLevel.Warning };
        var sim = new Verb("sim", "Host simulated Workers with miners in this process, until SIGTERM; then what they have begun is finished first.")
        {
            count, devices, connect, data, key, insecure, prefix, latency, journal, executions, hanging, hangFile, level,
        }.WithExample("ork worker sim --count 20 --devices 50", "ork worker sim --count 3 --devices 4 --connect tcp://127.0.0.1:7421 --kernel-key sha256:...");
        sim.SetAction(async (parsed, _) =>
        {
            var output = new Output(false);
            var directory = parsed.GetValue(data)!;
            var text = parsed.GetValue(connect) ?? Defaults.WorkerEndpoint(directory);
            if (LinkEndpoint.TryParse(text) is not { } endpoint || parsed.GetValue(count) < 1 || parsed.GetValue(devices) < 1)
            {
                await Console.Error.WriteLineAsync($"--count and --devices must be above 0, and '{text}' an endpoint: {LinkEndpoint.Form}.");
                return ExitCode.BadUsage;
            }

            try
            {
                using var logs = Logs.Create(new LogConfig { Level = parsed.GetValue(level) });
                using var interruption = Shared.Interruptible();
                ParentWatch.Start(interruption.Interrupt);
                using var network = Networks.ForWorker(directory, endpoint, parsed.GetValue(insecure));
                using var log = new ExecutionLog(parsed.GetValue(executions));
                await using var journalFile = SqliteCommandJournal.Open(
                    parsed.GetValue(journal) ?? Path.Combine(directory, $"journal-{parsed.GetValue(prefix)}.db"));
                var plan = new FleetPlan(parsed.GetValue(count), parsed.GetValue(devices), parsed.GetValue(prefix)!, parsed.GetValue(latency), parsed.GetValue(hanging),
                    parsed.GetValue(hangFile) ?? Path.Combine(directory, $"hang-{parsed.GetValue(prefix)}"));
                var fleet = new SimulatedFleet(plan, endpoint, parsed.GetValue(key), network.Network, journalFile, log, logs.CreateLogger("ork.worker"));
                output.Say($"{plan.Workers} Workers with {plan.DevicesPerWorker} devices each announce themselves to {endpoint}. Ctrl-C ends them, when they have finished what they have begun.");
                await fleet.RunAsync(interruption.Token);
                return ExitCode.Done;
            }
            catch (LinkException e)
            {
                return output.Fail(e.Refusal, e.Message);
            }
            catch (IOException e)
            {
                return output.Fail(ErrorCodes.JournalFailed.Code, e.Message);
            }
        });
        return new Verb("worker", "Begin a Worker of your own, host simulated ones, hold one off, or take one out of service.") { New(), sim, Isolate(), Restore(), Terminate() }.WithExample("ork worker sim --count 3 --devices 4");
    }

    private static Verb New()
    {
        var name = new Argument<string>("NAME") { Description = "What it is called: acme-pumps, or AcmePumps." };
        var folder = new Option<string>("--folder") { Description = "Where to make it.", DefaultValueFactory = _ => "." };
        var packages = new Option<string?>("--packages") { Description = "Folder with the packages of Ork (default: they are packed from this checkout, into the project)." };
        var json = Shared.Json();
        var command = new Verb("new", "Write a project of your own Worker: runtime, analyzers, and a test that runs it against the kernel in simulated worlds.") { name, folder, packages, json }
            .WithExample("ork worker new acme-pumps");
        command.SetAction(async (parsed, cancellation) =>
        {
            var output = new Output(parsed.GetValue(json));
            try
            {
                return await WorkerProject.NewAsync(output, parsed.GetRequiredValue(name), parsed.GetValue(folder)!, parsed.GetValue(packages), cancellation);
            }
            catch (AuthoringException e)
            {
                output.Fail("ERR_USAGE", e.Message);
                return ExitCode.BadUsage;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return output.Fail("ERR_USAGE", e.Message);
            }
        });
        return command;
    }

    private static Verb Isolate()
    {
        var kernel = new KernelOptionsSet();
        var id = new Argument<string>("ID") { Description = "The Worker." };
        var command = kernel.AddTo(new Verb("isolate", "Hold a Worker off: nothing but pings is sent to it until it is restored, restarts of the kernel included.") { id }
            .WithExample("ork worker isolate sim-001"));
        command.SetAction((parsed, _) => HoldAsync(kernel, parsed, id, CircuitHold.Open, "is isolated: its commands wait, new ones are refused."));
        return command;
    }

    private static Verb Restore()
    {
        var kernel = new KernelOptionsSet();
        var id = new Argument<string>("ID") { Description = "The Worker." };
        var hold = new Option<bool>("--hold") { Description = "Hold the circuit closed: failures do not open it until it is restored without this." };
        var command = kernel.AddTo(new Verb("restore", "Close a Worker's circuit at once, and let failures and probes decide again.") { id, hold }
            .WithExample("ork worker restore sim-001", "ork worker restore sim-001 --hold"));
        command.SetAction((parsed, _) => parsed.GetValue(hold)
            ? HoldAsync(kernel, parsed, id, CircuitHold.Closed, "is restored, and its circuit held closed.")
            : HoldAsync(kernel, parsed, id, CircuitHold.None, "is restored."));
        return command;
    }

    private static Task<int> HoldAsync(KernelOptionsSet kernel, ParseResult parsed, Argument<string> id, CircuitHold hold, string said) =>
        kernel.AskAsync(parsed, async (client, output, cancellation) =>
        {
            var workerId = parsed.GetRequiredValue(id);
            var circuit = await client.HoldAsync(workerId, hold, cancellation);
            output.Write(new { workerId, hold = CircuitHolds.Of(hold), circuit }, console => console.WriteLine($"{workerId} {said}"));
            return ExitCode.Done;
        });

    private static Verb Terminate()
    {
        var kernel = new KernelOptionsSet();
        var id = new Argument<string>("ID") { Description = "The Worker." };
        var yes = new Option<bool>("--yes") { Description = "Do it: there is no way back, and its open commands end." };
        var command = kernel.AddTo(new Verb("terminate", "Take a Worker out of service for good.") { id, yes }.WithExample("ork worker terminate sim-001 --yes"));
        command.SetAction(async (parsed, _) =>
        {
            if (parsed.GetValue(yes))
            {
                return await kernel.AskAsync(parsed, async (client, output, cancellation) =>
                {
                    await client.TerminateAsync(parsed.GetRequiredValue(id), cancellation);
                    output.Write(new { workerId = parsed.GetRequiredValue(id), terminated = true }, console => console.WriteLine($"{parsed.GetRequiredValue(id)} is terminated."));
                    return ExitCode.Done;
                });
            }

            await Console.Error.WriteLineAsync("Terminating a Worker cannot be undone, and its open commands end. Repeat with --yes.");
            return ExitCode.BadUsage;
        });
        return command;
    }
}
