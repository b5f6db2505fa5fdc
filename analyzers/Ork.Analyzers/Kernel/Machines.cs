using Microsoft.CodeAnalysis;

namespace Ork.Analyzers.Kernel;

/// <summary>Which types are state machines: the kernel's <c>ModuleMachine</c> and Stateless's own.</summary>
internal static class Machines
{
    internal static bool Is(ITypeSymbol? type) => type is INamedTypeSymbol { TypeArguments.Length: 2 }
        && (type is { Name: "ModuleMachine", ContainingNamespace.Name: "Kernel" } || IsStateless(type));

    internal static bool IsStateless(ITypeSymbol? type) =>
        type is INamedTypeSymbol { Name: "StateMachine", TypeArguments.Length: 2,
        ContainingNamespace: { Name: "Stateless", ContainingNamespace.IsGlobalNamespace: true } };

    /// <summary>The type of a machine's states; null where the type is no machine, or its states are no enum.</summary>
    internal static ITypeSymbol? StateOf(ITypeSymbol? type) => Is(type) && ((INamedTypeSymbol)type!).TypeArguments[0] is { TypeKind: TypeKind.Enum } state ? state : null;

    /// <summary>True where the assembly that declares a type builds a machine of it, in public.</summary>
    internal static bool OfAssembly(ITypeSymbol state) => state.DeclaringSyntaxReferences.Length == 0 && state.ContainingNamespace.GetTypeMembers()
        .Where(type => type.Name.EndsWith("Machine", StringComparison.Ordinal))
        .SelectMany(type => type.GetMembers().OfType<IMethodSymbol>())
        .Any(method => SymbolEqualityComparer.Default.Equals(StateOf(method.ReturnType), state));
}
