using Microsoft.CodeAnalysis;

namespace Ork.Analyzers.Tests;

/// <summary>Defects of the kernel, the Worker runtime and the SDK that can be seen without running them: planted in their source, and told.</summary>
public sealed class DefectTests
{
    private const string Ledger = "Modules/CommandStateMachine/CommandLedger.cs";
    private const string Assignment = "Modules/CommandStateMachine/CommandLedger.Assignment.cs";

    [Theory]
    [InlineData("ORK0201", "src/Ork.Kernel", Assignment, "turn.AfterCommit, turn, deviceId: command.Spec.DeviceId", "turn.AtOnce, turn, deviceId: command.Spec.DeviceId")]
    [InlineData("ORK0201", "src/Ork.Kernel", Ledger, "        turn.Touch(command);\n        var detail", "        if (from == CommandState.New) turn.Touch(command);\n        var detail",
        "        turn.Records.Log.Add(new", "        if (from == CommandState.New) turn.Records.Log.Add(new")]
    [InlineData("ORK0201", "src/Ork.Kernel", Ledger, "if (!_machine.Fire(ref command.State, trigger, command.Spec.CommandId)) return;", "_machine.Fire(ref command.State, trigger, command.Spec.CommandId); if (command.IsTerminal) return;")]
    [InlineData("ORK0202", "src/Ork.Kernel", Assignment, "command.Attempt++;", "command.Attempt++; command.State = CommandState.Dispatched;")]
    [InlineData("ORK0202", "src/Ork.Kernel", "Modules/WorkerRegistry/WorkerRegistry.cs", "worker.Link = null;", "worker.Link = null; worker.State = WorkerState.Discovered;")]
    [InlineData("ORK0302", "src/Ork.Kernel", "Modules/HealthMonitor/HealthMonitor.cs", "default, options.PingTimeoutMs, this", "default, Timeout.Infinite, this")]
    [InlineData("ORK0303", "src/Ork.Kernel", "Modules/WorkerRegistry/WorkerMachine.cs", "        machine.Configure(WorkerState.Terminated);\n", "")]
    [InlineData("ORK0303", "src/Ork.Kernel", "Modules/FaultSupervisor/CircuitMachine.cs", "            .Permit(CircuitTrigger.CoolDown, CircuitState.HalfOpen)\n", "")]
    [InlineData("ORK0001", "src/Ork.Kernel", "Modules/FaultSupervisor/FaultSupervisor.cs", "circuit.LinksLost.Add(turn.NowMs);", "circuit.LinksLost.Add(Environment.TickCount64);")]
    [InlineData("ORK0002", "src/Ork.Kernel", "Modules/FaultSupervisor/FaultSupervisor.cs", "entropy.NextBits() %", "(ulong)Random.Shared.NextInt64() %")]
    [InlineData("ORK0003", "src/Ork.Kernel", "Turns/TurnLoop.cs", "await _store.CommitAsync(records);", "await _store.CommitAsync(records).ConfigureAwait(false);")]
    [InlineData("ORK0005", "src/Ork.Kernel", "Modules/Scheduler/Scheduler.cs", "return (long)(hash % (ulong)intervalMs);", "return (workerId.GetHashCode() & int.MaxValue) % intervalMs;")]
    [InlineData("ORK0203", "src/Ork.Kernel", "Modules/TelemetryCollector/TelemetryCollector.cs", "PullOptions options, IWorkerRoutes routes", "PullOptions options, WorkerRegistry routes")]
    [InlineData("ORK0301", "src/Ork.Kernel", "Turns/Mailbox.cs", "if (_items.Count < _limit)", "if (_limit > 0)", "for (var room = _limit - _items.Count; room > 0 &&", "for (var room = _limit; room > 0 &&")]
    [InlineData("ORK0010", "src/Ork.Kernel", "Turns/TurnLoop.cs", "        catch (Exception e)\n", "        catch (StoreException e)\n")]
    [InlineData("ORK0304", "src/Ork.Client", "FleetCommand.cs", "leastMs + ports.Entropy.FullJitterMs(failures, leastMs, RetryCapMs)", "leastMs")]
    [InlineData("ORK0101", "src/Ork.Worker", "Requests/Replies.cs", "reply.Connection.Send(FrameKind.Response,", "reply.Connection.Send(FrameKind.Request,")]
    [InlineData("ORK0102", "src/Ork.Worker", "Requests/Admission.cs", "    private int _handlers;", "    private readonly List<Reply> _late = [];\n    private int _handlers;")]
    [InlineData("ORK0007", "src/Ork.Worker", "Requests/Deadline.cs", "private readonly TaskCompletionSource _passed = new();", "private readonly TaskCompletionSource _passed = new(TaskCreationOptions.RunContinuationsAsynchronously);")]
    public async Task A_planted_defect_is_told(string rule, string project, string file, params string[] changes)
    {
        var files = ProductSource.Files(project).ToDictionary();
        var path = Path.Combine(PackageTests.Root(), project, file);
        for (var i = 0; i < changes.Length; i += 2)
        {
            Assert.Contains(changes[i], files[path], StringComparison.Ordinal);
            files[path] = files[path].Replace(changes[i], changes[i + 1], StringComparison.Ordinal);
        }

        var compilation = ProductSource.Compile(project, files);
        Assert.Empty(compilation.GetDiagnostics(TestContext.Current.CancellationToken).Where(found => found.Severity == DiagnosticSeverity.Error).Select(found => found.ToString()));
        var before = (await Harness.FindAsync(ProductSource.Compile(project, ProductSource.Files(project)))).Count(found => found.Id == rule && !found.IsSuppressed);
        var after = (await Harness.FindAsync(compilation)).Count(found => found.Id == rule && !found.IsSuppressed);

        Assert.True(after > before, $"{rule} does not tell it.");
    }
}
