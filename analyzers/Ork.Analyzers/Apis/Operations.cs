using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace Ork.Analyzers.Apis;

/// <summary>Questions that several analyzers ask of a tree of operations.</summary>
internal static class Operations
{
    /// <summary>The whole body that an operation stands in.</summary>
    internal static IOperation Root(this IOperation operation)
    {
        while (operation.Parent is not null) operation = operation.Parent;
        return operation;
    }

    /// <summary>The expression a local variable is declared with; null where it has none, or is not declared here.</summary>
    internal static IOperation? DeclaredValue(this ILocalSymbol local, IOperation near) => near.Root().Descendants().OfType<IVariableDeclaratorOperation>()
        .FirstOrDefault(declared => SymbolEqualityComparer.Default.Equals(declared.Symbol, local))?.GetVariableInitializer()?.Value;

    /// <summary>The loop whose variable a local is, around an operation.</summary>
    internal static IForEachLoopOperation? LoopOver(this ILocalSymbol local, IOperation at)
    {
        for (var up = at.Parent; up is not null; up = up.Parent)
        {
            if (up is IForEachLoopOperation { LoopControlVariable: IVariableDeclaratorOperation variable } loop
                && SymbolEqualityComparer.Default.Equals(variable.Symbol, local)) return loop;
        }

        return null;
    }

    /// <summary>True for a comparison of size.</summary>
    internal static bool IsRelational(this IOperation operation) => operation is IRelationalPatternOperation
        || (operation is IBinaryOperation { OperatorKind: var kind } && IsRelational(kind));

    /// <summary>True for a property that the compiler stores.</summary>
    internal static bool IsStored(this IPropertySymbol property) => property.ContainingType.GetMembers()
        .Any(member => member is IFieldSymbol { AssociatedSymbol: { } owner } && SymbolEqualityComparer.Default.Equals(owner, property));

    private static bool IsRelational(BinaryOperatorKind kind) =>
        kind is BinaryOperatorKind.LessThan or BinaryOperatorKind.LessThanOrEqual or BinaryOperatorKind.GreaterThan or BinaryOperatorKind.GreaterThanOrEqual;
}
