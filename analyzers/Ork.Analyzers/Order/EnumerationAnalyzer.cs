using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;
using Ork.Analyzers.Apis;

namespace Ork.Analyzers.Order;

/// <summary>
/// ORK0005, enumeration: collections whose order hangs on threads or on hash codes that each process salts anew. To look up in them is fine, and so is what sorts
/// or counts what comes out.
/// </summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class EnumerationAnalyzer : DiagnosticAnalyzer
{
    private const string Sort = "sort what it yields, or keep a Dictionary or List beside it";

    private static readonly ImmutableHashSet<string> Unordered = ImmutableHashSet.Create(
        "System.Collections.Concurrent.ConcurrentDictionary`2", "System.Collections.Concurrent.ConcurrentBag`1", "System.Collections.Immutable.ImmutableDictionary`2",
        "System.Collections.Immutable.ImmutableHashSet`1", "System.Collections.Hashtable", "System.Runtime.CompilerServices.ConditionalWeakTable`2");

    /// <summary>What comes out of these is the same in any order.</summary>
    private static readonly ImmutableHashSet<string> OrderFree = ImmutableHashSet.Create(
        "OrderBy", "OrderByDescending", "Order", "OrderDescending", "Count", "LongCount", "Any", "All", "Contains", "Max", "Min", "Sum", "ToHashSet", "ToDictionary",
        "ToFrozenSet", "ToFrozenDictionary", "ToImmutableSortedDictionary", "ToImmutableSortedSet", "ToImmutableHashSet", "ToImmutableDictionary", "SetEquals",
            "IsSubsetOf",
        "IsSupersetOf", "UnionWith", "ExceptWith", "IntersectWith", "Except", "TryGetNonEnumeratedCount");

    /// <summary>What comes out of these is in the order of what went in.</summary>
    private static readonly ImmutableHashSet<string> OrderKeeping = ImmutableHashSet.Create(
        "Select", "Where", "SelectMany", "OfType", "Cast", "Distinct", "DistinctBy", "Concat", "Append", "Prepend", "AsEnumerable", "ToArray", "ToList", "Union",
            "Intersect");

    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = Rules.Descriptors(Rules.Order);

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.EnableConcurrentExecution();
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.RegisterCompilationStartAction(static start =>
        {
            var roles = new RoleReader();
            if (!roles.Concern(start.Compilation, Rules.Order)) return;
            start.RegisterOperationAction(at => Loop(at, roles), OperationKind.Loop);
            start.RegisterOperationAction(at => Argument(at, roles), OperationKind.Argument);
            start.RegisterOperationAction(at => Spread(at, roles), OperationKind.Spread);
            start.RegisterOperationAction(at => Taken(at, roles), OperationKind.Invocation, OperationKind.PropertyReference);
        });
    }

    private static void Loop(OperationAnalysisContext context, RoleReader roles)
    {
        if (context.Operation is IForEachLoopOperation loop && SourceOf(loop.Collection) is { } source) Find(context, roles, loop.Collection, source);
    }

    private static void Argument(OperationAnalysisContext context, RoleReader roles)
    {
        var argument = (IArgumentOperation)context.Operation;
        if (argument.Value is not IConversionOperation { Type: { } target } || !IsSequence(target) || SourceOf(argument.Value) is not { } source) return;
        if (argument.Parent is IInvocationOperation call && IsOrderFree(call)) return;
        Find(context, roles, argument.Value, source);
    }

    private static void Spread(OperationAnalysisContext context, RoleReader roles)
    {
        var spread = (ISpreadOperation)context.Operation;
        if (SourceOf(spread.Operand) is { } source) Find(context, roles, spread.Operand, source);
    }

    /// <summary>What is taken out as a whole, and kept or returned; and a bag's own choice of what comes next.</summary>
    private static void Taken(OperationAnalysisContext context, RoleReader roles)
    {
        if (context.Operation is IInvocationOperation { Instance: { } bag, TargetMethod.Name: "TryTake" or "TryPeek" } && TypeOf(bag) is { } type
            && type.StartsWith("ConcurrentBag", StringComparison.Ordinal))
        {
            Find(context, roles, context.Operation, type);
            return;
        }

        if (ViewOf(context.Operation) is not { } source) return;
        var parent = context.Operation.Parent;
        while (parent is IConversionOperation or IParenthesizedOperation) parent = parent.Parent;
        if (parent is IReturnOperation or IVariableInitializerOperation or ISimpleAssignmentOperation or IFieldInitializerOperation) Find(context, roles,
            context.Operation, source);
    }

    private static void Find(OperationAnalysisContext context, RoleReader roles, IOperation at, string source) =>
        context.Find(roles, Rules.Order, at, $"The order of a {source}", Sort);

    private static bool IsOrderFree(IInvocationOperation call)
    {
        for (IOperation? at = call; at is IInvocationOperation { TargetMethod: var method } invocation; at = Consumer(invocation))
        {
            if (OrderFree.Contains(method.Name)) return true;
            if (!OrderKeeping.Contains(method.Name)) return false;
        }

        return false;
    }

    private static IOperation? Consumer(IInvocationOperation call)
    {
        var parent = call.Parent;
        while (parent is IConversionOperation or IParenthesizedOperation or ITranslatedQueryOperation) parent = parent.Parent;
        return parent is IArgumentOperation { Parent: IInvocationOperation next, Parameter.Ordinal: 0 } ? next : null;
    }

    /// <summary>The unordered collection that an expression yields, or a view of it; null where it yields none.</summary>
    private static string? SourceOf(IOperation operation)
    {
        operation = Uses.Unwrap(operation);
        return TypeOf(operation) ?? ViewOf(operation);
    }

    private static string? ViewOf(IOperation operation) => operation switch
    {
        IPropertyReferenceOperation { Property.Name: "Keys" or "Values", Instance: { } instance } => TypeOf(instance),
        IInvocationOperation { TargetMethod.Name: "ToArray" or "GetEnumerator", Instance: { } instance } => TypeOf(instance),
        _ => null,
    };

    private static string? TypeOf(IOperation operation) =>
        Uses.Unwrap(operation).Type?.OriginalDefinition is INamedTypeSymbol type && Unordered.Contains($"{type.ContainingNamespace}.{type.MetadataName}") ? type.Name : null;

    private static bool IsSequence(ITypeSymbol type) => type.OriginalDefinition.SpecialType is SpecialType.System_Collections_IEnumerable
        or SpecialType.System_Collections_Generic_IEnumerable_T or SpecialType.System_Collections_Generic_ICollection_T
        or SpecialType.System_Collections_Generic_IReadOnlyCollection_T;
}
