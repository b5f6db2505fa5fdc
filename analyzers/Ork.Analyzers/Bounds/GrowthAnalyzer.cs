using System.Collections.Concurrent;
using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;
using Ork.Analyzers.Apis;
using Ork.Analyzers.Effects;

namespace Ork.Analyzers.Bounds;

/// <summary>
/// ORK0301 where a name does not tell: queues kept in fields whose class never holds their count against anything, and work started for each of a fleet at once. Unbounded channels
/// are in the table of APIs.
/// </summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class GrowthAnalyzer : DiagnosticAnalyzer
{
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
            var check = new Check(roles);
            start.RegisterOperationAction(check.Call, OperationKind.Invocation);
            start.RegisterOperationAction(check.Compared, OperationKind.PropertyReference, OperationKind.Invocation);
            start.RegisterOperationAction(check.Loop, OperationKind.Loop);
            start.RegisterCompilationEndAction(check.End);
        });
    }

    private sealed class Check(RoleReader roles)
    {
        private readonly ConcurrentBag<(ISymbol Queue, ISymbol Container, IOperation At)> _grown = [];
        private readonly ConcurrentDictionary<ISymbol, byte> _held = new(SymbolEqualityComparer.Default);

        internal void Call(OperationAnalysisContext context)
        {
            var call = (IInvocationOperation)context.Operation;
            var method = call.TargetMethod;
            if (method.Name is "Enqueue" or "Push" or "EnqueueRange" or "PushRange" or "Add" && call.Instance is { } instance && QueueOf(instance) is { } queue
                && (method.Name != "Add" || instance.Type?.Name is "ConcurrentBag" or "BlockingCollection"))
            {
                _grown.Add((queue, context.ContainingSymbol, call));
            }

            if (method is { Name: "WhenAll", ContainingType.Name: "Task" } && call.Arguments.Length > 0) FanOut(context, call);
        }

        /// <summary>Notes the queues whose count is held against something.</summary>
        internal void Compared(OperationAnalysisContext context)
        {
            var (name, of) = context.Operation switch
            {
                IPropertyReferenceOperation property => (property.Property.Name, property.Instance),
                IInvocationOperation call => (call.TargetMethod.Name, call.Instance ?? call.Arguments.FirstOrDefault()?.Value),
                _ => ("", null),
            };
            if (name != "Count" || of is null || QueueOf(of) is not { } queue) return;
            for (var at = context.Operation.Parent; at is IConversionOperation or IBinaryOperation or IParenthesizedOperation or IArgumentOperation or IInvocationOperation or IVariableInitializerOperation
                or IIsPatternOperation; at = at.Parent)
            {
                if (at is IIsPatternOperation { Pattern: var pattern } && pattern.DescendantsAndSelf().Any(part => part is IRelationalPatternOperation))
                {
                    _held.TryAdd(queue, 0);
                    return;
                }

                // Somebody else holds it against a limit.
                if (at is IArgumentOperation { Parent: IInvocationOperation { TargetMethod.ContainingNamespace: { } space } } && !space.ToDisplayString().StartsWith("System", StringComparison.Ordinal))
                {
                    _held.TryAdd(queue, 0);
                    return;
                }

                if (at is IBinaryOperation { OperatorKind: BinaryOperatorKind.LessThan or BinaryOperatorKind.LessThanOrEqual or BinaryOperatorKind.GreaterThan or BinaryOperatorKind.GreaterThanOrEqual
                    or BinaryOperatorKind.Equals or BinaryOperatorKind.Subtract } comparison && !IsZero(comparison.RightOperand) && !IsZero(comparison.LeftOperand))
                {
                    _held.TryAdd(queue, 0);
                    return;
                }
            }
        }

        internal void Loop(OperationAnalysisContext context)
        {
            if (context.Operation is not IForEachLoopOperation loop || loop.IsAsynchronous || !IsOfFleet(loop.Collection)) return;
            if (HasWindow(loop.Body) || IsWindowed(loop.Collection)) return;
            if (Asks(loop.Body, 2, []) is { } asked) context.Find(roles, Rules.Unbounded, asked, "A request to each of the fleet at once", "keep a window, and let the next go when one is answered");
        }

        internal void End(CompilationAnalysisContext context)
        {
            // Told where the queue is declared: that is where its bound, or the reason why it has none, belongs.
            foreach (var grown in _grown.GroupBy(grown => grown.Queue, (IEqualityComparer<ISymbol>)SymbolEqualityComparer.Default))
            {
                var queue = grown.Key;
                if (_held.ContainsKey(queue) || grown.All(at => (Rules.Unbounded.Roles & roles.Of(at.Container)) == 0)) continue;
                var places = grown.Select(at => at.At.Syntax.GetLocation()).OrderBy(at => at.SourceTree?.FilePath, StringComparer.Ordinal).ThenBy(at => at.SourceSpan.Start).ToArray();
                var place = queue.Locations.FirstOrDefault(location => location.IsInSource) ?? places[0];
                context.ReportDiagnostic(Diagnostic.Create(Rules.Unbounded.Descriptor, place, places, queue.Name, "hold its count against a limit, and refuse beyond"));
            }
        }

        private static bool IsZero(IOperation value) => value.ConstantValue is { HasValue: true, Value: 0 };

        private void FanOut(OperationAnalysisContext context, IInvocationOperation whenAll)
        {
            var tasks = Resolve(whenAll.Arguments[0].Value);
            while (tasks is IInvocationOperation { TargetMethod.Name: "ToArray" or "ToList" or "AsEnumerable" } made) tasks = Resolve(made.Instance ?? made.Arguments[0].Value);
            switch (tasks)
            {
                case IInvocationOperation { TargetMethod: { Name: "Select", ContainingType.Name: "Enumerable" }, Arguments: [var source, var selector, ..] }:
                    if (!IsWindowed(source.Value) && !IsFixed(source.Value) && !WaitsItsTurn(selector.Value)) Tell(context, whenAll);
                    break;
                case ICollectionExpressionOperation { Elements: [ISpreadOperation { Operand: var spread }] }:
                    if (Uses.Unwrap(spread) is IInvocationOperation { TargetMethod.Name: "Select", Arguments: [var from, var each, ..] } && !IsWindowed(from.Value) && !IsFixed(from.Value) && !WaitsItsTurn(each.Value))
                        Tell(context, whenAll);
                    break;
                case IObjectCreationOperation or ICollectionExpressionOperation { Elements.Length: 0 } when Uses.Unwrap(whenAll.Arguments[0].Value) is ILocalReferenceOperation { Local: var local }:
                    if (FilledInLoop(whenAll, local)) Tell(context, whenAll);
                    break;
            }
        }

        private void Tell(OperationAnalysisContext context, IOperation at) =>
            context.Find(roles, Rules.Unbounded, at, "Work for each of them at once", "keep a window: a fixed number of loops, a SemaphoreSlim, or Chunk");

        /// <summary>A list of tasks that a loop fills without waiting for anything.</summary>
        private static bool FilledInLoop(IOperation at, ILocalSymbol local)
        {
            foreach (var add in Root(at).Descendants().OfType<IInvocationOperation>())
            {
                if (add.TargetMethod.Name != "Add" || add.Instance is null || Uses.Unwrap(add.Instance) is not ILocalReferenceOperation { Local: var into } || !SymbolEqualityComparer.Default.Equals(into, local)) continue;
                for (var up = add.Parent; up is not null; up = up.Parent)
                {
                    if (up is IForEachLoopOperation loop) return !loop.Body.Descendants().Any(inner => inner is IAwaitOperation) && !HasWindow(loop.Body) && !IsWindowed(loop.Collection) && !IsFixed(loop.Collection);
                    if (up is ILoopOperation) break;
                }
            }

            return false;
        }

        /// <summary>A sequence that ends soon by itself.</summary>
        private static bool IsWindowed(IOperation source)
        {
            source = Resolve(source);
            if (source is IParameterReferenceOperation { Parameter.Type: IArrayTypeSymbol } chunk && IsChunk(chunk)) return true;
            if (source is ILocalReferenceOperation { Local: var local } && LoopOver(source, local) is { } loop && Resolve(loop.Collection) is IInvocationOperation { TargetMethod.Name: "Chunk" }) return true;
            while (source is IInvocationOperation { Arguments: [var first, ..] } call)
            {
                if (call.TargetMethod.Name is "Take" or "Range" or "Repeat" or "Chunk") return true;
                source = Resolve(call.Instance ?? first.Value);
            }

            return false;
        }

        private static bool IsChunk(IParameterReferenceOperation parameter) => parameter.Parameter.ContainingSymbol is IMethodSymbol { MethodKind: MethodKind.AnonymousFunction } && parameter.Parameter.Name.IndexOf("chunk", StringComparison.OrdinalIgnoreCase) >= 0;

        private static IForEachLoopOperation? LoopOver(IOperation at, ILocalSymbol local)
        {
            for (var up = at.Parent; up is not null; up = up.Parent)
            {
                if (up is IForEachLoopOperation { LoopControlVariable: IVariableDeclaratorOperation variable } loop && SymbolEqualityComparer.Default.Equals(variable.Symbol, local)) return loop;
            }

            return null;
        }

        /// <summary>Elements written down one by one.</summary>
        private static bool IsFixed(IOperation source) => Resolve(source) is IArrayCreationOperation { Initializer: not null } or ICollectionExpressionOperation
            or IFieldReferenceOperation { Field: { IsStatic: true, IsReadOnly: true } };

        private static bool WaitsItsTurn(IOperation selector) => selector.Descendants().Any(inner => inner is IInvocationOperation { TargetMethod: { Name: "WaitAsync", ContainingType.Name: "SemaphoreSlim" } });

        private static bool HasWindow(IOperation body) => body.Descendants().Any(inner => inner
            is IBinaryOperation { OperatorKind: BinaryOperatorKind.LessThan or BinaryOperatorKind.LessThanOrEqual or BinaryOperatorKind.GreaterThan or BinaryOperatorKind.GreaterThanOrEqual }
            or IInvocationOperation { TargetMethod: { Name: "WaitAsync", ContainingType.Name: "SemaphoreSlim" } });

        private static IOperation? Asks(IOperation body, int depth, HashSet<ISymbol> seen)
        {
            foreach (var call in body.Descendants().OfType<IInvocationOperation>())
            {
                if (call.TargetMethod is { Name: "Send", ContainingType: { Name: "Exchanges", ContainingNamespace.Name: "Kernel" } } || (Exchanges.KindOf(call) is { } kind && Exchanges.IsRequest(kind))) return call;
                if (depth == 0 || call.SemanticModel is not { } model || !seen.Add(call.TargetMethod)) continue;
                foreach (var reference in call.TargetMethod.DeclaringSyntaxReferences)
                {
                    if (reference.SyntaxTree != model.SyntaxTree || model.GetOperation(reference.GetSyntax()) is not { } inner || HasWindow(inner)) continue;
                    if (Asks(inner, depth - 1, seen) is not null) return call;
                }
            }

            return null;
        }

        private static bool IsOfFleet(IOperation collection)
        {
            var type = Uses.Unwrap(collection).Type;
            var element = type is IArrayTypeSymbol array ? array.ElementType : (type as INamedTypeSymbol)?.TypeArguments.LastOrDefault();
            return element?.Name is { } name && new[] { "Worker", "Device", "Link", "Session", "Connection" }.Any(part => name.IndexOf(part, StringComparison.Ordinal) >= 0);
        }

        private static ISymbol? QueueOf(IOperation operation) => Uses.Unwrap(operation) switch
        {
            IFieldReferenceOperation { Field: var field } when IsQueue(field.Type) => field.OriginalDefinition,
            IPropertyReferenceOperation { Property: var property } when IsQueue(property.Type) => property.OriginalDefinition,
            _ => null,
        };

        private static bool IsQueue(ITypeSymbol type) => type.Name is "Queue" or "ConcurrentQueue" or "Stack" or "ConcurrentStack" or "ConcurrentBag" or "PriorityQueue"
            && type.ContainingNamespace.ToDisplayString().StartsWith("System.Collections", StringComparison.Ordinal);

        private static IOperation Resolve(IOperation value)
        {
            value = Uses.Unwrap(value);
            if (value is not ILocalReferenceOperation { Local: var local }) return value;
            var given = Root(value).Descendants().OfType<IVariableDeclaratorOperation>().FirstOrDefault(declared => SymbolEqualityComparer.Default.Equals(declared.Symbol, local))?.GetVariableInitializer()?.Value;
            return given is null ? value : Uses.Unwrap(given);
        }

        private static IOperation Root(IOperation at)
        {
            while (at.Parent is not null) at = at.Parent;
            return at;
        }
    }
}
