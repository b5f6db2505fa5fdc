using System.Collections.Immutable;
using Microsoft.CodeAnalysis;

namespace Ork.Analyzers;

/// <summary>A rule: what it says, and whose code it applies to.</summary>
/// <param name="Descriptor">Its id, title, message and help.</param>
/// <param name="Roles">The roles whose code keeps it.</param>
internal sealed record Rule(DiagnosticDescriptor Descriptor, Roles Roles)
{
    internal string Id => Descriptor.Id;
}

/// <summary>Every rule, by what it forbids. The table of README.md and the pages of docs/ say the same; a test holds them together.</summary>
internal static class Rules
{
    private const string Docs = "analyzers/docs/";
    private const string Determinism = "Ork.Determinism";
    private const string PullOnly = "Ork.PullOnly";
    private const string WriteAhead = "Ork.WriteAhead";
    private const string Structure = "Ork.Structure";
    private const string Bounds = "Ork.Bounds";

    internal static readonly Rule WallClock = new(new DiagnosticDescriptor("ORK0001",
        "Wall clock read in deterministic code",
        "{0} reads the machine's clock: {1}",
        Determinism, DiagnosticSeverity.Error, isEnabledByDefault: true, helpLinkUri: Docs + "ORK0001.md"), Roles.Deterministic);

    internal static readonly Rule Randomness = new(new DiagnosticDescriptor("ORK0002",
        "Ambient randomness or id",
        "{0} draws chance that no seed repeats: {1}",
        Determinism, DiagnosticSeverity.Error, isEnabledByDefault: true, helpLinkUri: Docs + "ORK0002.md"), Roles.Deterministic);

    internal static readonly Rule Escape = new(new DiagnosticDescriptor("ORK0003",
        "Escapes the scheduler",
        "{0} leaves the scheduler: {1}",
        Determinism, DiagnosticSeverity.Error, isEnabledByDefault: true, helpLinkUri: Docs + "ORK0003.md"), Roles.OnTheLoop);

    internal static readonly Rule DirectIO = new(new DiagnosticDescriptor("ORK0004",
        "Direct I/O or process state in a module",
        "{0} reaches past the ports: {1}",
        Determinism, DiagnosticSeverity.Error, isEnabledByDefault: true, helpLinkUri: Docs + "ORK0004.md"), Roles.Kernel);

    internal static readonly Rule Order = new(new DiagnosticDescriptor("ORK0005",
        "Order that differs between runs reaches an effect or a trace",
        "{0} differs from run to run: {1}",
        Determinism, DiagnosticSeverity.Error, isEnabledByDefault: true, helpLinkUri: Docs + "ORK0005.md"), Roles.Kernel | Roles.Simulation);

    internal static readonly Rule Blocking = new(new DiagnosticDescriptor("ORK0006",
        "Blocking wait",
        "{0} blocks its thread: {1}",
        Determinism, DiagnosticSeverity.Error, isEnabledByDefault: true, helpLinkUri: Docs + "ORK0006.md"), Roles.All);

    internal static readonly Rule AsyncContinuations = new(new DiagnosticDescriptor("ORK0007",
        "RunContinuationsAsynchronously awaited under WaitAsync or WhenAny",
        "{0} waits on a TaskCompletionSource made with RunContinuationsAsynchronously{1}: its continuation goes through the thread pool, and a virtual clock may jump past it",
        Determinism, DiagnosticSeverity.Error, isEnabledByDefault: true, helpLinkUri: Docs + "ORK0007.md"), Roles.OnTheLoop);

    internal static readonly Rule Unmodelled = new(new DiagnosticDescriptor("ORK0008",
        "API that Coyote cannot model",
        "Coyote cannot model {0}: {1}",
        Determinism, DiagnosticSeverity.Error, isEnabledByDefault: true, helpLinkUri: Docs + "ORK0008.md"), Roles.Production);

    internal static readonly Rule StaticState = new(new DiagnosticDescriptor("ORK0009",
        "Mutable static state",
        "{0} is mutable static state, shared by every kernel, Worker and simulated run of the process: {1}",
        Determinism, DiagnosticSeverity.Error, isEnabledByDefault: true, helpLinkUri: Docs + "ORK0009.md"), Roles.Deterministic);

    internal static readonly Rule Unobserved = new(new DiagnosticDescriptor("ORK0010",
        "async void, or a task nobody observes",
        "{0}: {1}",
        Determinism, DiagnosticSeverity.Error, isEnabledByDefault: true, helpLinkUri: Docs + "ORK0010.md"), Roles.All);

    internal static readonly Rule WorkerDials = new(new DiagnosticDescriptor("ORK0101",
        "Worker code starts an exchange with the kernel",
        "A Worker only answers, and here it starts an exchange with the kernel: {0}",
        PullOnly, DiagnosticSeverity.Error, isEnabledByDefault: true, helpLinkUri: Docs + "ORK0101.md"), Roles.Worker);

    internal static readonly Rule KeptResponder = new(new DiagnosticDescriptor("ORK0102",
        "Worker answers outside the request being handled",
        "{0} outlives the request it answers: answer before the handler returns, and keep no link",
        PullOnly, DiagnosticSeverity.Error, isEnabledByDefault: true, helpLinkUri: Docs + "ORK0102.md"), Roles.Worker);

    internal static readonly Rule Push = new(new DiagnosticDescriptor("ORK0103",
        "Kernel code takes pushed data from a Worker",
        "{0} lets others decide when the kernel works: ask for the data with a request that has a deadline",
        PullOnly, DiagnosticSeverity.Error, isEnabledByDefault: true, helpLinkUri: Docs + "ORK0103.md"), Roles.Kernel);

    internal static readonly Rule UnrecordedEffect = new(new DiagnosticDescriptor("ORK0201",
        "Effect without a record",
        "{0}",
        WriteAhead, DiagnosticSeverity.Error, isEnabledByDefault: true, helpLinkUri: Docs + "ORK0201.md"), Roles.Kernel);

    internal static readonly Rule ForeignWrite = new(new DiagnosticDescriptor("ORK0202",
        "Machine state written outside its machine",
        "{0} is the state of a machine and is written past it: fire a trigger",
        WriteAhead, DiagnosticSeverity.Error, isEnabledByDefault: true, helpLinkUri: Docs + "ORK0202.md"), Roles.Kernel);

    internal static readonly Rule ModuleClass = new(new DiagnosticDescriptor("ORK0203",
        "Module depends on another module's class instead of its interface",
        "{0} belongs to module {1}: module {2} depends on its interface{3}, not on the class",
        Structure, DiagnosticSeverity.Error, isEnabledByDefault: true, helpLinkUri: Docs + "ORK0203.md"), Roles.Kernel);

    internal static readonly Rule AsyncModule = new(new DiagnosticDescriptor("ORK0204",
        "Module code is async or awaits",
        "{0}: a module is synchronous, only the loop waits",
        Structure, DiagnosticSeverity.Error, isEnabledByDefault: true, helpLinkUri: Docs + "ORK0204.md"), Roles.Kernel);

    internal static readonly Rule Unversioned = new(new DiagnosticDescriptor("ORK0205",
        "Stored or wire record without a version, or without a reader for it",
        "{0} is {1} and has no {2}",
        WriteAhead, DiagnosticSeverity.Error, isEnabledByDefault: true, helpLinkUri: Docs + "ORK0205.md"), Roles.Kernel);

    internal static readonly Rule Unbounded = new(new DiagnosticDescriptor("ORK0301",
        "Unbounded growth",
        "{0} has no bound: {1}",
        Bounds, DiagnosticSeverity.Error, isEnabledByDefault: true, helpLinkUri: Docs + "ORK0301.md"), Roles.Kernel | Roles.Worker);

    internal static readonly Rule NoDeadline = new(new DiagnosticDescriptor("ORK0302",
        "Request to a Worker without a deadline",
        "{0} may wait for ever: {1}",
        Bounds, DiagnosticSeverity.Error, isEnabledByDefault: true, helpLinkUri: Docs + "ORK0302.md"), Roles.Kernel);

    internal static readonly Rule IncompleteMachine = new(new DiagnosticDescriptor("ORK0303",
        "Trigger without a handler in some state, or a state no trigger leaves that is not declared terminal",
        "{0}",
        Structure, DiagnosticSeverity.Error, isEnabledByDefault: true, helpLinkUri: Docs + "ORK0303.md"), Roles.Kernel);

    internal static readonly Rule Retry = new(new DiagnosticDescriptor("ORK0304",
        "Retry without a limit, backoff and jitter",
        "This retry has no {0}: what fails everywhere at once is retried everywhere at once, for ever",
        Bounds, DiagnosticSeverity.Error, isEnabledByDefault: true, helpLinkUri: Docs + "ORK0304.md"), Roles.Production);

    internal static readonly Rule TestType = new(new DiagnosticDescriptor("ORK0401",
        "Simulation or test type referenced from production code",
        "{0} is of {1}: production code must not know that it is tested",
        Structure, DiagnosticSeverity.Error, isEnabledByDefault: true, helpLinkUri: Docs + "ORK0401.md"), Roles.Production);

    /// <summary>All of them, by id.</summary>
    internal static ImmutableArray<Rule> All { get; } =
    [
        WallClock, Randomness, Escape, DirectIO, Order, Blocking, AsyncContinuations, Unmodelled, StaticState, Unobserved, WorkerDials, KeptResponder, Push,
        UnrecordedEffect, ForeignWrite, ModuleClass, AsyncModule, Unversioned, Unbounded, NoDeadline, IncompleteMachine, Retry, TestType,
    ];

    /// <summary>The descriptors of some rules, as an analyzer declares them.</summary>
    internal static ImmutableArray<DiagnosticDescriptor> Descriptors(params Rule[] rules) => [.. rules.Select(rule => rule.Descriptor)];
}
