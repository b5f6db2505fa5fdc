using System.Collections.Concurrent;
using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;
using Ork.Analyzers.Apis;

namespace Ork.Analyzers.Bounds;

/// <summary>ORK0301, queues: kept in a member whose class never holds their count against anything. Unbounded channels are in the table of APIs.</summary>
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
            start.RegisterOperationAction(check.Grown, OperationKind.Invocation);
            start.RegisterOperationAction(check.Counted, OperationKind.PropertyReference, OperationKind.Invocation);
            start.RegisterCompilationEndAction(check.End);
        });
    }

    private sealed class Check(RoleReader roles)
    {
        private readonly ConcurrentBag<(ISymbol Queue, ISymbol Container, IOperation At)> _grown = [];
        private readonly ConcurrentDictionary<ISymbol, byte> _held = new(SymbolEqualityComparer.Default);

        internal void Grown(OperationAnalysisContext context)
        {
            var call = (IInvocationOperation)context.Operation;
            if (call.Instance is not { } instance || QueueOf(instance) is not { } queue) return;
            var adds = call.TargetMethod.Name is "Enqueue" or "Push" or "EnqueueRange" or "PushRange"
                || (call.TargetMethod.Name == "Add" && instance.Type?.Name is "ConcurrentBag" or "BlockingCollection");
            if (adds) _grown.Add((queue, context.ContainingSymbol, call));
        }

        /// <summary>Notes the queues whose count is held against something.</summary>
        internal void Counted(OperationAnalysisContext context)
        {
            var (name, of) = context.Operation switch
            {
                IPropertyReferenceOperation property => (property.Property.Name, property.Instance),
                IInvocationOperation call => (call.TargetMethod.Name, call.Instance ?? call.Arguments.FirstOrDefault()?.Value),
                _ => ("", null),
            };
            if (name == "Count" && of is not null && QueueOf(of) is { } queue && IsHeld(context.Operation)) _held.TryAdd(queue, 0);
        }

        internal void End(CompilationAnalysisContext context)
        {
            foreach (var grown in _grown.GroupBy(grown => grown.Queue, (IEqualityComparer<ISymbol>)SymbolEqualityComparer.Default))
            {
                if (_held.ContainsKey(grown.Key) || grown.All(at => (Rules.Unbounded.Roles & roles.Of(at.Container)) == 0)) continue;
                var places = grown.Select(at => at.At.Syntax.GetLocation())
                    .OrderBy(at => at.SourceTree?.FilePath, StringComparer.Ordinal).ThenBy(at => at.SourceSpan.Start).ToArray();

                // Told where the queue is declared: that is where its bound, or the reason why it has none, belongs.
                var place = grown.Key.Locations.FirstOrDefault(location => location.IsInSource) ?? places[0];
                context.ReportDiagnostic(Diagnostic.Create(
                    Rules.Unbounded.Descriptor, place, places, grown.Key.Name, "hold its count against a limit, and refuse beyond"));
            }
        }

        private static bool IsHeld(IOperation count)
        {
            for (var at = count.Parent; at is not null and not IBlockOperation; at = at.Parent)
            {
                switch (at)
                {
                    case IIsPatternOperation { Pattern: var pattern } when pattern.DescendantsAndSelf().Any(part => part.IsRelational()):
                    case IBinaryOperation { OperatorKind: BinaryOperatorKind.Equals or BinaryOperatorKind.Subtract } comparison when !MentionsZero(comparison):
                    case IBinaryOperation size when size.IsRelational() && !MentionsZero(size):

                    // Somebody else holds it against a limit.
                    case IArgumentOperation { Parent: IInvocationOperation { TargetMethod.ContainingNamespace: { } space } }
                        when !space.ToDisplayString().StartsWith("System", StringComparison.Ordinal):
                        return true;
                }
            }

            return false;
        }

        /// <summary>Whether there is anything at all is no bound.</summary>
        private static bool MentionsZero(IBinaryOperation comparison) =>
            comparison.LeftOperand.ConstantValue is { HasValue: true, Value: 0 } || comparison.RightOperand.ConstantValue is { HasValue: true, Value: 0 };

        private static ISymbol? QueueOf(IOperation operation) => Uses.Unwrap(operation) switch
        {
            IFieldReferenceOperation { Field: var field } when IsQueue(field.Type) => field.OriginalDefinition,
            IPropertyReferenceOperation { Property: var property } when IsQueue(property.Type) => property.OriginalDefinition,
            _ => null,
        };

        private static bool IsQueue(ITypeSymbol type) =>
            type.Name is "Queue" or "ConcurrentQueue" or "Stack" or "ConcurrentStack" or "ConcurrentBag" or "PriorityQueue"
            && type.ContainingNamespace.ToDisplayString().StartsWith("System.Collections", StringComparison.Ordinal);
    }
}
