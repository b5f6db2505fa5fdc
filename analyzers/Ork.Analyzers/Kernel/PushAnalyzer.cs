using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;
using Ork.Analyzers.Apis;

namespace Ork.Analyzers.Kernel;

/// <summary>
/// ORK0103: events, observables, subscriptions and streams, by which others would decide when the kernel works. Callbacks that carry the turn are the modules' own: they
/// are called inside the turn that is under way.
/// </summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class PushAnalyzer : DiagnosticAnalyzer
{
    private static readonly Regex Subscribes = new(
        "^(Subscribe|On[A-Z]|Listen|Observe|Watch|Stream|AddListener|AddHandler|AddCallback|Attach|Hook|Register\\w*(Handler|Callback|Listener|Observer|Sink)|When[A-Z]|Set\\w*(Handler|Callback|Listener))",
        RegexOptions.CultureInvariant);

    private static readonly Regex Handles = new("^On[A-Z]|(Callback|Handler|Listener|Received|Arrived|Changed)$", RegexOptions.CultureInvariant);

    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = Rules.Descriptors(Rules.Push);

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.EnableConcurrentExecution();
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.RegisterCompilationStartAction(static start =>
        {
            var roles = new RoleReader();
            if (!roles.Concern(start.Compilation, Rules.Push)) return;
            start.RegisterOperationAction(at => Subscription(at, roles), OperationKind.EventAssignment);
            start.RegisterOperationAction(at => Call(at, roles), OperationKind.Invocation);
            start.RegisterOperationAction(at => Handler(at, roles), OperationKind.SimpleAssignment);
            start.RegisterOperationAction(at => Stream(at, roles), OperationKind.Loop);
            start.RegisterSymbolAction(at => Observer(at, roles), SymbolKind.NamedType);
        });
    }

    private static void Subscription(OperationAnalysisContext context, RoleReader roles)
    {
        var assignment = (IEventAssignmentOperation)context.Operation;
        if (!assignment.Adds || Uses.Unwrap(assignment.EventReference) is not IEventReferenceOperation { Event: var @event }
            || IsFramework(@event.ContainingType)) return;
        if (!IsOwnCallback(@event.Type)) context.Find(roles, Rules.Push, assignment, $"The event {@event.ContainingType.Name}.{@event.Name}");
    }

    private static void Call(OperationAnalysisContext context, RoleReader roles)
    {
        var call = (IInvocationOperation)context.Operation;
        var method = call.TargetMethod;
        if (method.Name == "Subscribe" && (IsObservable(method.ContainingType) || method.Parameters.Any(parameter => parameter.Type.Name == "IObserver")
            || (call.Arguments.Length > 0 && Uses.Unwrap(call.Arguments[0].Value).Type is { } first && IsObservable(first))
                || (call.Instance?.Type is { } on && IsObservable(on))))
        {
            context.Find(roles, Rules.Push, call, "The subscription to an observable");
            return;
        }

        if (!Subscribes.IsMatch(method.Name) || IsFramework(method.ContainingType) || method.ContainingNamespace?.Name == "Stateless") return;
        if (call.Arguments.Any(argument => argument.Parameter?.Type is { TypeKind: TypeKind.Delegate } type && !IsOwnCallback(type) && Delivers(type)))
            context.Find(roles, Rules.Push, call, $"The callback that {method.ContainingType.Name}.{method.Name} takes");
    }

    /// <summary>A callback that another object is given: <c>link.OnTelemetry = ...</c>.</summary>
    private static void Handler(OperationAnalysisContext context, RoleReader roles)
    {
        var assignment = (ISimpleAssignmentOperation)context.Operation;
        if (assignment.Target is not IMemberReferenceOperation { Instance: not null and not IInstanceReferenceOperation { ReferenceKind: InstanceReferenceKind.ContainingTypeInstance } } target) return;
        if (assignment.Value.ConstantValue is { HasValue: true, Value: null } || !Handles.IsMatch(target.Member.Name)
            || IsFramework(target.Member.ContainingType)) return;
        if (target.Type is { TypeKind: TypeKind.Delegate } type && !IsOwnCallback(type) && Delivers(type)
            && !SymbolEqualityComparer.Default.Equals(context.ContainingSymbol.ContainingType, target.Member.ContainingType))
            context.Find(roles, Rules.Push, assignment, $"The callback {target.Member.ContainingType.Name}.{target.Member.Name}");
    }

    private static void Stream(OperationAnalysisContext context, RoleReader roles)
    {
        if (context.Operation is not IForEachLoopOperation { IsAsynchronous: true } loop) return;
        var source = Uses.Unwrap(loop.Collection);
        while (source is IInvocationOperation { TargetMethod.Name: "WithCancellation" or "ConfigureAwait" } wrapped)
            source = Uses.Unwrap(wrapped.Instance ?? wrapped.Arguments[0].Value);
        if (source is IInvocationOperation { TargetMethod: { IsAsync: true } own } && own.DeclaringSyntaxReferences.Length > 0) return;
        context.Find(roles, Rules.Push, loop.Collection, "The stream that is awaited here");
    }

    private static void Observer(SymbolAnalysisContext context, RoleReader roles)
    {
        var type = (INamedTypeSymbol)context.Symbol;
        if (type.Interfaces.Any(offered => offered is { Name: "IObserver", ContainingNamespace.Name: "System" })) context.Find(roles, Rules.Push, $"{type.Name}, an IObserver,");
    }

    private static bool IsObservable(ITypeSymbol type) =>
        type is { Name: "IObservable", ContainingNamespace.Name: "System" }
            || type.AllInterfaces.Any(offered => offered is { Name: "IObservable", ContainingNamespace.Name: "System" });

    /// <summary>A delegate that is handed the turn it runs in.</summary>
    private static bool IsOwnCallback(ITypeSymbol type) => type is INamedTypeSymbol { DelegateInvokeMethod: { } invoke }
        && invoke.Parameters.Any(parameter => Module.IsTurn(parameter.Type));

    /// <summary>A delegate that is handed something: what asks for nothing and yields a value is a question of the kernel's.</summary>
    private static bool Delivers(ITypeSymbol type) => type is INamedTypeSymbol { DelegateInvokeMethod: { Parameters.Length: > 0 } invoke }
        && (invoke.ReturnsVoid || invoke.ReturnType.Name is "Task" or "ValueTask");

    private static bool IsFramework(ITypeSymbol type) => type.ContainingNamespace?.ToDisplayString() is { } space
        && (space == "System" || space.StartsWith("System.", StringComparison.Ordinal) || space.StartsWith("Microsoft.", StringComparison.Ordinal));
}
