using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace Ork.Kernel.Tests;

/// <summary>The machines' tables and their diagrams.</summary>
public sealed class MachineTests
{
    public static TheoryData<string, string> Modules => new()
    {
        { "WorkerRegistry", "worker" }, { "CommandDispatcher", "dispatch" }, { "CommandStateMachine", "command" }, { "Scheduler", "job" }, { "HealthMonitor", "health" },
        { "ConcurrencyManager", "lock" }, { "FaultSupervisor", "circuit" },
    };

    [Theory]
    [MemberData(nameof(Modules))]
    public void The_diagram_in_a_modules_README_is_the_machines(string module, string machine)
    {
        var readme = Path.Combine(Root(), "src", "Ork.Kernel", "Modules", module, "README.md");
        var expected = $"```mermaid\n{Machine(machine).ToMermaid()}\n```";
        var text = File.ReadAllText(readme).ReplaceLineEndings("\n");
        if (Environment.GetEnvironmentVariable("ORK_UPDATE_DIAGRAMS") == "1")
        {
            text = Regex.Replace(text, "```mermaid\n.*?\n```", expected.Replace("$", "$$", StringComparison.Ordinal), RegexOptions.Singleline);
            File.WriteAllText(readme, text);
        }

        Assert.True(text.Contains(expected, StringComparison.Ordinal), $"{readme} is stale. It should hold:\n{expected}");
    }

    [Fact]
    public void The_command_table_is_the_designs()
    {
        // architecture.md, with Abandon for what it says of terminated Workers and devices that are gone: whose link is gone, what was assigned there is queued again by then. Why an
        // attempt ended without an end of its command is told apart.
        string[] expected =
        [
            "New Accept Queued", "Queued Assign Dispatched", "Dispatched Send Executing", "Executing WorkerSucceeded Success", "Executing WorkerFailed Failed",
            "Dispatched AttemptTimedOut Timeout", "Dispatched LinkLost Timeout", "Dispatched Recovered Timeout", "Dispatched ShuttingDown Timeout",
            "Executing AttemptTimedOut Timeout", "Executing LinkLost Timeout", "Executing Recovered Timeout", "Executing ShuttingDown Timeout",
            "Executing WorkerBusy Timeout", "Executing JournalFailed Timeout", "Executing WorkerUnsure Timeout", "Executing Withdrawn Timeout",
            "Timeout Retry Queued", "Timeout GiveUp Failed", "Queued Cancel Failed", "Queued DeadlinePassed Failed", "Dispatched Cancel Failed",
            "Dispatched DeadlinePassed Failed", "Queued Abandon Failed", "Queued LateSuccess Success", "Dispatched LateSuccess Success",
            "Timeout LateSuccess Success", "Executing LateSuccess Success", "Queued LateFailure Failed", "Dispatched LateFailure Failed", "Timeout LateFailure Failed",
        ];
        var table = Machine("command").Transitions.Select(row => $"{row.From} {row.Trigger} {row.To}");
        Assert.Equal(expected.Order(StringComparer.Ordinal), table.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_trigger_that_no_state_handles_changes_nothing_and_is_told()
    {
        var observer = new RecordingObserver();
        var state = CommandState.Success;
        Assert.False(CommandMachine.Build(observer, strict: false).Fire(ref state, CommandTrigger.Cancel, "c"));
        Assert.Equal(CommandState.Success, state);
        Assert.Equal([KernelEvent.IllegalTransition], observer.Events);
        Assert.Throws<InvalidOperationException>(() => CommandMachine.Build(observer, strict: true).Fire(ref state, CommandTrigger.Cancel, "c"));
    }

    [Fact]
    public void Every_state_can_be_reached_and_only_ends_have_no_way_out()
    {
        foreach (var name in Modules.Select(row => row.Data.Item2))
        {
            var table = Machine(name).Transitions;
            var states = table.SelectMany(row => new[] { row.From, row.To }).Distinct().ToArray();
            var ends = states.Where(state => table.All(row => row.From != state)).Order(StringComparer.Ordinal);
            string[] expected = name switch
            {
                "worker" => ["Terminated"],
                "dispatch" => ["Enqueued", "Rejected"],
                "command" => ["Failed", "Success"],
                _ => [],
            };
            Assert.Equal(expected, ends);
            Assert.Single(states, state => table.All(row => row.To != state) || (name is "job" && state == "Idle") || (name == "health" && state == "Unknown")
                || (name == "lock" && state == "Free") || (name == "circuit" && state == "Closed"));
        }
    }

    [Fact]
    public void Fired_a_first_and_a_second_time_a_machine_does_what_its_table_says()
    {
        var silent = new SilentObserver();
        DoesWhatItsTableSays(WorkerMachine.Build(silent, false));
        DoesWhatItsTableSays(DispatchMachine.Build(silent, false));
        DoesWhatItsTableSays(CommandMachine.Build(silent, false));
        DoesWhatItsTableSays(JobMachine.Build(silent, false));
        DoesWhatItsTableSays(HealthMachine.Build(silent, false));
        DoesWhatItsTableSays(DeviceLockMachine.Build(silent, false));
        DoesWhatItsTableSays(CircuitMachine.Build(silent, false));
    }

    private static void DoesWhatItsTableSays<TState, TTrigger>(ModuleMachine<TState, TTrigger> machine)
        where TState : struct, Enum
        where TTrigger : struct, Enum
    {
        var table = machine.Transitions.ToDictionary(row => (row.From, row.Trigger), row => row.To);
        var every = from turn in (int[])[1, 2] from state in Enum.GetValues<TState>() from trigger in Enum.GetValues<TTrigger>() select (state, trigger);
        foreach (var (from, trigger) in every)
        {
            var state = from;
            var permitted = table.TryGetValue(($"{from}", $"{trigger}"), out var to);
            Assert.Equal(permitted, machine.Fire(ref state, trigger, "one"));
            Assert.Equal(permitted ? to : $"{from}", $"{state}");
        }
    }

    private static IMachineDefinition Machine(string name)
    {
        var observer = new SilentObserver();
        return name switch
        {
            "worker" => WorkerMachine.Build(observer, true),
            "dispatch" => DispatchMachine.Build(observer, true),
            "command" => CommandMachine.Build(observer, true),
            "job" => JobMachine.Build(observer, true),
            "lock" => DeviceLockMachine.Build(observer, true),
            "circuit" => CircuitMachine.Build(observer, true),
            _ => HealthMachine.Build(observer, true),
        };
    }

    private static string Root([CallerFilePath] string file = "")
    {
        // Deterministic builds map source paths away, so the way up starts where the tests run.
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "OrkSim.sln"))) return at.FullName;
        }

        throw new DirectoryNotFoundException($"No OrkSim.sln above {AppContext.BaseDirectory} ({file}).");
    }
}
