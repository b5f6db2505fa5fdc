using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;
using Ork.Analyzers.Apis;
using Ork.Analyzers.Effects;

namespace Ork.Analyzers.Bounds;

/// <summary>ORK0301, fan-out: work begun for each of a sequence at once, and a request to each of the fleet, without a window.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class FanOutAnalyzer : DiagnosticAnalyzer
{
    // Helpers of helpers are followed so far.
    private const int Depth = 2;

    private static readonly string[] Fleet = ["Worker", "Device", "Link", "Session", "Connection"];

    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = Rules.Descriptors(Rules.Unbounded);

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.EnableConcurrentExecution();
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.RegisterCompilationStartAction(static start =>
        {
            var roles = new RoleReader();
            if (!roles.Concern(start.Compilation, Rules.Unbounded)) return;
            start.RegisterOperationAction(at => WhenAll(at, roles), OperationKind.Invocation);
            start.RegisterOperationAction(at => Loop(at, roles), OperationKind.Loop);
        });
    }

    private static void WhenAll(OperationAnalysisContext context, RoleReader roles)
    {
        var call = (IInvocationOperation)context.Operation;
        if (call.TargetMethod is not { Name: "WhenAll", ContainingType.Name: "Task" } || call.Arguments.Length == 0) return;
        var tasks = Resolve(call.Arguments[0].Value);
        while (tasks is IInvocationOperation { TargetMethod.Name: "ToArray" or "ToList" or "AsEnumerable" } made) tasks = Resolve(made.Instance ?? made.Arguments[0].Value);
        if (tasks is ICollectionExpressionOperation { Elements: [ISpreadOperation { Operand: var spread }] }) tasks = Uses.Unwrap(spread);
        var isUnbounded = tasks switch
        {
            IInvocationOperation { TargetMethod: { Name: "Select", ContainingType.Name: "Enumerable" }, Arguments: [var source, var selector, ..] } =>
                !IsBounded(source.Value) && !WaitsItsTurn(selector.Value),
            IObjectCreationOperation or ICollectionExpressionOperation { Elements.Length: 0 } =>
                Uses.Unwrap(call.Arguments[0].Value) is ILocalReferenceOperation { Local: var local } && IsFilledInLoop(call, local),
            _ => false,
        };
        if (isUnbounded) context.Find(roles, Rules.Unbounded, call, "Work for each of them at once", "keep a window: a fixed number of loops, a SemaphoreSlim, or Chunk");
    }

    private static void Loop(OperationAnalysisContext context, RoleReader roles)
    {
        if (context.Operation is not IForEachLoopOperation { IsAsynchronous: false } loop || !IsOfFleet(loop.Collection)) return;
        if (HasWindow(loop.Body) || IsBounded(loop.Collection) || Asks(loop.Body, Depth, []) is not { } asked) return;
        context.Find(roles, Rules.Unbounded, asked, "A request to each of the fleet at once", "keep a window, and let the next go when one is answered");
    }

    /// <summary>A list of tasks that a loop fills without waiting for anything.</summary>
    private static bool IsFilledInLoop(IOperation at, ILocalSymbol local) => at.Root().Descendants().OfType<IInvocationOperation>()
        .Where(add => add.TargetMethod.Name == "Add" && add.Instance is { } into && Uses.Unwrap(into) is ILocalReferenceOperation reference
            && SymbolEqualityComparer.Default.Equals(reference.Local, local))
        .Select(LoopAround).Any(loop => loop is not null && !loop.Body.Descendants().Any(inner => inner is IAwaitOperation) && !HasWindow(loop.Body)
            && !IsBounded(loop.Collection));

    private static IForEachLoopOperation? LoopAround(IOperation operation)
    {
        for (var up = operation.Parent; up is not null; up = up.Parent)
        {
            if (up is ILoopOperation) return up as IForEachLoopOperation;
        }

        return null;
    }

    /// <summary>A sequence that ends soon by itself: a part of another, or elements written down one by one.</summary>
    private static bool IsBounded(IOperation source)
    {
        source = Resolve(source);
        if (source is IArrayCreationOperation { Initializer: not null } or ICollectionExpressionOperation or IFieldReferenceOperation { Field: { IsStatic: true,
            IsReadOnly: true } }) return true;
        if (source is IParameterReferenceOperation { Parameter: { Type: IArrayTypeSymbol,
            ContainingSymbol: IMethodSymbol { MethodKind: MethodKind.AnonymousFunction } } chunk })
            return chunk.Name.IndexOf("chunk", StringComparison.OrdinalIgnoreCase) >= 0;
        if (source is ILocalReferenceOperation { Local: var local }
            && local.LoopOver(source) is { } loop) return Resolve(loop.Collection) is IInvocationOperation { TargetMethod.Name: "Chunk" };
        while (source is IInvocationOperation { Arguments: [var first, ..] } call)
        {
            if (call.TargetMethod.Name is "Take" or "Range" or "Repeat" or "Chunk") return true;
            source = Resolve(call.Instance ?? first.Value);
        }

        return false;
    }

    private static bool WaitsItsTurn(IOperation code) =>
        code.Descendants().Any(inner => inner is IInvocationOperation { TargetMethod: { Name: "WaitAsync", ContainingType.Name: "SemaphoreSlim" } });

    private static bool HasWindow(IOperation body) => WaitsItsTurn(body) || body.Descendants().Any(inner => inner.IsRelational());

    /// <summary>The call by which code asks a Worker something, by itself or by its helpers.</summary>
    private static IOperation? Asks(IOperation body, int depth, HashSet<ISymbol> seen)
    {
        foreach (var call in body.Descendants().OfType<IInvocationOperation>())
        {
            if (IsRequest(call)) return call;
            if (depth == 0 || call.SemanticModel is not { } model || !seen.Add(call.TargetMethod)) continue;
            foreach (var reference in call.TargetMethod.DeclaringSyntaxReferences)
            {
                if (reference.SyntaxTree != model.SyntaxTree || model.GetOperation(reference.GetSyntax()) is not { } inner || HasWindow(inner)) continue;
                if (Asks(inner, depth - 1, seen) is not null) return call;
            }
        }

        return null;
    }

    private static bool IsRequest(IInvocationOperation call) =>
        call.TargetMethod is { Name: "Send", ContainingType: { Name: "Exchanges", ContainingNamespace.Name: "Kernel" } }
        || (Exchanges.KindOf(call) is { } kind && Exchanges.IsRequest(kind));

    private static bool IsOfFleet(IOperation collection)
    {
        var type = Uses.Unwrap(collection).Type;
        var element = type is IArrayTypeSymbol array ? array.ElementType : (type as INamedTypeSymbol)?.TypeArguments.LastOrDefault();
        return element?.Name is { } name && Fleet.Any(part => name.IndexOf(part, StringComparison.Ordinal) >= 0);
    }

    private static IOperation Resolve(IOperation value)
    {
        value = Uses.Unwrap(value);
        return value is ILocalReferenceOperation { Local: var local } && local.DeclaredValue(value) is { } given ? Uses.Unwrap(given) : value;
    }
}
